import numpy as np
import pytest

from generator.engine.audio.notation import judge_score, most_alike, repetition, repetition_in_spans
from generator.engine.audio.profile import timeline
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

# At 60 quarter notes a minute a step lasts a quarter of a second.
SIXTY = (TempoMark(0, 60.0),)
MINUTE = 240


def melody_of(pitches, apart=8, duration=8, velocity=50, program=0):
    notes = tuple(Note(apart * i, duration, pitch, velocity) for i, pitch in enumerate(pitches))
    return Part(Role.MELODY, program, notes)


def table(*parts, tempo=SIXTY, minutes=15.0, stretch=1.0):
    rows = judge_score(Score(parts, tempo), stretch=stretch, timeline=timeline(60 * minutes))
    return {row["item"]: row for row in rows}


def value(item, *parts, **options):
    return table(*parts, **options)[item]["value"]


def passed(item, *parts, **options):
    return table(*parts, **options)[item]["passed"]


def wandering(n, seed=1, low=60, high=72):
    rng = np.random.default_rng(seed)
    pitches, pitch = [], 66
    for _ in range(n):
        pitch = int(np.clip(pitch + rng.choice([-2, -1, 0, 1, 2, 3, -3]), low, high))
        pitches.append(pitch)
    return pitches


def test_tempo_is_judged_as_it_is_played():
    falling = tuple(TempoMark(MINUTE * i, 66.0 - 0.9 * i) for i in range(10))
    part = melody_of(wandering(300))
    assert value("tempo_highest_bpm", part, tempo=falling, stretch=1.1) == 60.0
    assert passed("tempo_rise_bpm", part, tempo=falling)
    assert passed("tempo_fall_bpm_per_min", part, tempo=falling)
    assert not passed("tempo_highest_bpm", part, tempo=(TempoMark(0, 80.0),))


def test_a_tempo_that_rises_or_falls_by_leaps_fails():
    part = melody_of(wandering(300))
    rising = (TempoMark(0, 60.0), TempoMark(480, 61.0))
    assert value("tempo_rise_bpm", part, tempo=rising) == 1.0
    leaping = (TempoMark(0, 66.0), TempoMark(792, 60.0))
    assert value("tempo_fall_bpm_per_min", part, tempo=leaping) == pytest.approx(6.0, abs=0.1)


def test_density_is_counted_in_the_first_ninth_and_the_last_two_before_the_fade():
    part = melody_of(wandering(450))
    # A note every two seconds, all night.
    for item in ("melody_per_minute_first", "melody_per_minute_last", "notes_per_minute_last"):
        assert value(item, part) == pytest.approx(30.0, abs=1.0)
    assert passed("melody_per_minute_first", part)
    assert not passed("melody_per_minute_last", part)
    assert table(part)["melody_per_minute_last"]["limit"] == "<= 18"
    assert table(part, minutes=7.5)["melody_per_minute_last"]["limit"] == "<= 29"
    assert table(part, minutes=60.0)["notes_per_minute_last"]["limit"] == "<= 80"


def test_touch_is_the_widest_minute_of_velocities_the_legato_and_the_shortest_note():
    loud_and_soft = Part(
        Role.MELODY, 0, tuple(Note(8 * i, 8, 60 + i % 5, 30 + 40 * (i % 2)) for i in range(200))
    )
    assert value("velocity_sd_60_s", loud_and_soft) == pytest.approx(20.0)
    assert value("articulation_median", melody_of(wandering(50), duration=12)) == 1.5
    assert value("articulation_median", melody_of(wandering(50), duration=4)) == 0.5
    assert value("shortest_note_s", melody_of(wandering(50), duration=1)) == 0.25
    assert not passed("shortest_note_s", melody_of(wandering(50), duration=1))


def test_register_is_weighed_by_how_long_a_note_sounds():
    bass = Part(Role.BASS, 32, (Note(0, 24, 36, 40),))
    part = melody_of([60], duration=8)
    assert value("pitch_weighted_mean", part, bass) == pytest.approx((60 * 8 + 36 * 24) / 32)
    assert value("pitch_lowest", part, bass) == 36
    assert not passed("pitch_highest", melody_of([85, 84]))
    assert not passed("pitch_lowest", melody_of([32, 33]))


def test_intervals_are_counted_by_size():
    part = melody_of([60, 62, 64, 72, 85])
    assert value("melody_step_share", part) == 0.5
    assert value("melody_leap_share", part) == 0.5
    assert value("melody_widest_semitones", part) == 13
    assert not passed("melody_widest_semitones", part)


def test_repetition_counts_four_interval_runs_heard_before():
    # Nine runs, four of them new.
    assert repetition(np.array([1, 2, 3, 4] * 3), 4) == pytest.approx(5 / 9)
    assert repetition(np.arange(20), 4) == 0.0
    assert repetition(np.array([1, 2]), 4) == 0.0


def test_repetition_in_spans_is_that_of_the_whole_where_the_share_is_the_whole():
    intervals = np.random.default_rng(1).integers(-5, 6, 900)
    assert repetition_in_spans(intervals, 1.0) == repetition(intervals, 4)
    assert repetition_in_spans(intervals, 3.0) == repetition(intervals, 4)
    assert repetition_in_spans(np.array([], int), 0.75) == 0.0


def test_what_comes_back_farther_apart_than_a_span_is_not_counted():
    fresh = np.random.default_rng(2).integers(-12, 13, 600)
    twice = np.tile(fresh, 2)
    assert repetition(twice, 4) > 0.45
    assert repetition_in_spans(twice, 0.5) < 0.05
    assert repetition_in_spans(twice, 0.75) == pytest.approx(1 / 3, abs=0.05)


def test_the_lower_limit_of_repetition_falls_with_the_length_below_45_minutes():
    part = melody_of(wandering(100))
    assert table(part, minutes=45)["repetition_4"]["limit"] == "0.25 to 0.6"
    assert table(part, minutes=60)["repetition_4"]["limit"] == "0.25 to 0.6"
    assert table(part, minutes=15)["repetition_4"]["limit"] == "0.0833 to 0.6"


def test_a_phrase_of_eight_notes_may_come_three_times_in_ten_minutes():
    phrase = [60, 62, 64, 67, 65, 64, 62, 61]

    def said(times, gap):
        notes = []
        for time in range(times):
            start = time * gap
            # Every time in another key: the intervals are what is recognised.
            notes += [Note(start + 8 * i, 8, p + time, 50) for i, p in enumerate(phrase)]
        return Part(Role.MELODY, 0, tuple(notes))

    assert value("phrase_8_in_10_min", said(3, 200)) == 3
    assert not passed("phrase_8_in_10_min", said(4, 200))
    # Four times, but never more than two within ten minutes.
    assert value("phrase_8_in_10_min", said(4, 6 * MINUTE)) == 2


def test_a_short_melody_has_no_phrase_to_repeat():
    assert most_alike(np.array([0.0]), [Note(0, 4, 60, 50)]) == 1
    assert most_alike(np.zeros(0), []) == 0


def test_entropy_of_one_of_two_and_of_all_pitch_classes():
    assert value("pitch_class_entropy_bit", melody_of([60] * 8)) == 0.0
    assert value("pitch_class_entropy_bit", melody_of([60, 67] * 8)) == 1.0
    chromatic = melody_of(list(range(60, 72)))
    assert value("pitch_class_entropy_bit", chromatic) == pytest.approx(np.log2(12), abs=1e-4)
    assert not passed("pitch_class_entropy_bit", chromatic)


def test_a_held_semitone_between_parts_is_refused():
    pad = Part(Role.PAD, 89, (Note(0, 64, 59, 40),))
    assert not passed("held_rub_share", melody_of([60] * 8), pad)
    assert passed("held_rub_share", melody_of([62] * 8), pad)


def test_overlaps_drums_and_loud_instruments_are_counted():
    overlapping = Part(Role.INNER, 0, (Note(0, 16, 60, 50), Note(8, 8, 60, 50)))
    assert value("same_pitch_overlaps", melody_of([60]), overlapping) == 1
    assert value("percussive_notes", melody_of([60, 62], program=115)) == 2
    assert value("notes_on_other_programs", melody_of([60, 62, 64], program=56)) == 3
    assert passed("notes_on_other_programs", melody_of([60], program=46))


def test_a_score_without_a_melody_is_judged_all_the_same():
    rows = table(Part(Role.PAD, 89, (Note(0, 64, 60, 40),)))
    assert rows["melody_per_minute_first"]["value"] == 0.0
    assert rows["melody_step_share"]["passed"]
