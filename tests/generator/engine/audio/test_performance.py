from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.engine.audio.performance import (
    STRETCH_MAX,
    TIMING_MAX_S,
    end_repeats,
    perform,
)
from generator.engine.errors import SynthesisError
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

SIXTY = (TempoMark(0, 60.0),)


def score_of(*notes, program=0, role=Role.MELODY):
    return Score((Part(role, program, tuple(notes)),), SIXTY)


def played(score, music_end_s=None, seed=0):
    end_s = music_end_s if music_end_s is not None else score.n_steps / 4
    return perform(score, music_end_s=end_s, rng=np.random.default_rng(seed))


def line(n_notes, pitch=60, velocity=50):
    return [Note(4 * i, 4, pitch + i % 5, velocity) for i in range(n_notes)]


def test_steps_become_seconds_by_the_tempo():
    notes = played(score_of(*line(8)), music_end_s=8.0).notes
    onsets = [note.onset_s for note in notes]
    assert np.diff(onsets) == pytest.approx([1.0] * 7, abs=0.05)


def test_the_hands_are_irregular_but_the_same_for_the_same_seed():
    score = score_of(*line(40))
    once, again, other = played(score), played(score), played(score, seed=1)
    assert once == again
    assert once != other
    lateness = [note.onset_s % 1.0 - 0.25 for note in once.notes]
    assert 0.002 < np.std(lateness) < TIMING_MAX_S


def test_an_overlapping_repeat_of_a_pitch_ends_the_old_note():
    score = score_of(Note(0, 12, 60, 50), Note(4, 8, 60, 40), Note(4, 8, 64, 40))
    assert end_repeats(score).parts[0].notes == (
        Note(0, 4, 60, 50),
        Note(4, 8, 60, 40),
        Note(4, 8, 64, 40),
    )


@given(
    st.lists(
        st.builds(
            Note,
            onset=st.integers(0, 60),
            duration=st.integers(1, 32),
            pitch=st.integers(58, 62),
            velocity=st.integers(1, 127),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_no_pitch_ever_overlaps_itself_and_no_onset_is_lost(notes):
    ended = end_repeats(score_of(*notes)).parts[0].notes
    assert {(n.onset, n.pitch) for n in ended} == {(n.onset, n.pitch) for n in notes}
    for pitch in range(58, 63):
        mine = [note for note in ended if note.pitch == pitch]
        assert all(a.offset <= b.onset for a, b in pairwise(mine))
    timed = played(score_of(*notes)).notes
    for pitch in range(58, 63):
        mine = [note for note in timed if note.pitch == pitch]
        assert all(a.offset_s <= b.onset_s + 0.08 for a, b in pairwise(mine))


def test_two_parts_on_one_string_strike_it_once():
    melody = Part(Role.MELODY, 0, (Note(0, 4, 60, 60),))
    inner = Part(Role.INNER, 0, (Note(0, 8, 60, 40),))
    notes = perform(
        Score((melody, inner), SIXTY), music_end_s=2.0, rng=np.random.default_rng(0)
    ).notes
    assert len(notes) == 1
    assert notes[0].loudness == pytest.approx(60 / 127)
    assert notes[0].offset_s > 2.0


def test_a_short_score_is_played_slower_and_a_long_one_is_cut_never_hurried():
    score = score_of(*line(20))
    assert played(score, music_end_s=21.0).stretch == pytest.approx(20.75 / 20)
    cut = played(score, music_end_s=10.0)
    assert cut.stretch == 1.0
    assert max(note.onset_s for note in cut.notes) < 10.0


def test_a_score_that_ends_much_too_early_is_refused():
    with pytest.raises(SynthesisError, match=r"at least 26\.8 s was expected, got 20\.0 s"):
        played(score_of(*line(20)), music_end_s=30.0)
    assert STRETCH_MAX < 1.2


def test_a_louder_velocity_is_a_larger_gain():
    gains = [
        played(score_of(Note(0, 8, 60, velocity))).notes[0].gain for velocity in (1, 40, 80, 127)
    ]
    assert gains == sorted(gains)
    assert gains[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (score_of(), "at least one note was expected, got none"),
        (score_of(Note(0, 4, 12, 50)), "pitches between 21 and 108"),
        (score_of(Note(0, 4, 120, 50)), "pitches between 21 and 108"),
        (score_of(Note(0, 4, 60, 50), program=128), "programs 0-127 were expected, got \\[128\\]"),
    ],
)
def test_what_no_instrument_can_play_is_refused(score, message):
    with pytest.raises(SynthesisError, match=message):
        played(score, music_end_s=1.0)
