import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.engine.metrics.cardinality import (
    EXCERPT_STEPS,
    cardinality_score,
    drawn_excerpt,
    known_excerpts,
    melody_excerpts,
)
from generator.engine.metrics.line import make_line

TRIAD = np.array([(0, 60), (4, 64), (8, 67), (12, 72)])


def walk(seed, n_bars=24, steps_per_bar=16, n_pitches=12):
    """A melody of quarters and eighths at random pitches."""
    rng = np.random.default_rng(seed)
    onsets = np.cumsum(rng.choice((2, 4, 4, 8), 6 * n_bars * steps_per_bar // 16))
    onsets = onsets[onsets < n_bars * steps_per_bar]
    pitches = 60 + rng.integers(n_pitches, size=len(onsets))
    return make_line(onsets, pitches, np.ones(len(onsets)), steps_per_bar)


def points(line):
    return np.column_stack([line.onsets, line.pitches])


def moved(shape, steps, semitones):
    return shape + np.array([steps, semitones])


def test_an_excerpt_is_all_of_itself_moved_in_time_and_pitch():
    assert cardinality_score(TRIAD, moved(TRIAD, 7, -5)) == 1.0


def test_shapes_that_share_no_interval_share_one_note():
    # Any one note can be laid upon any other, so the score is never below one note.
    rising, falling = TRIAD, np.array([(0, 90), (4, 80), (8, 70), (12, 60)])
    assert cardinality_score(rising, falling) == 1 / 4


def test_a_part_of_an_excerpt_scores_its_share_of_the_larger():
    assert cardinality_score(TRIAD, moved(TRIAD[:3], 16, 2)) == 3 / 4
    assert cardinality_score(TRIAD[1:3], TRIAD) == 2 / 4


def test_one_altered_note_costs_one_note():
    altered = TRIAD.copy()
    altered[1, 1] -= 1  # the minor triad
    assert cardinality_score(TRIAD, altered) == 3 / 4


def test_no_notes_are_no_copy():
    assert cardinality_score(TRIAD, TRIAD[:0]) == 0.0
    assert known_excerpts([]).highest_score(walk(1)) == 0.0


def test_excerpts_last_32_quarters_in_whole_bars_and_overlap_by_half():
    in_four = list(melody_excerpts(walk(1, n_bars=24)))
    assert len(in_four) == 5  # from bars 0, 4, 8, 12 and 16
    assert all(excerpt.onsets[-1] < EXCERPT_STEPS for excerpt in in_four)
    in_three = list(melody_excerpts(walk(1, n_bars=24, steps_per_bar=12)))
    assert len(in_three) == 3  # eleven bars, from bars 0, 5 and 10
    assert not list(melody_excerpts(walk(1, n_bars=6)))


def test_excerpts_of_few_or_very_many_notes_are_left_out():
    sparse = make_line(np.arange(0, 384, 12), np.full(32, 60), np.ones(32))
    dense = make_line(np.arange(384), np.full(384, 60), np.ones(384))
    assert drawn_excerpt(sparse, 0) is None
    assert drawn_excerpt(dense, 0) is None


def test_the_excerpt_of_a_piece_is_drawn_by_its_number():
    line = walk(3, n_bars=64)
    drawn = [drawn_excerpt(line, number).onsets.tolist() for number in range(12)]
    assert drawn == [drawn_excerpt(line, number).onsets.tolist() for number in range(12)]
    assert len(set(map(tuple, drawn))) > 1


@pytest.mark.parametrize("number", range(3))
def test_what_was_learnt_is_found_in_another_key_and_place(number):
    train = [walk(seed) for seed in range(20)]
    known = known_excerpts(train)
    excerpt = drawn_excerpt(train[number], number)
    copy = make_line(excerpt.onsets + 6, excerpt.pitches + 11, excerpt.durations)
    assert known.highest_score(copy) == 1.0


def test_too_many_excerpts_are_drawn_by_the_seed():
    train = [walk(seed) for seed in range(20)]
    every = known_excerpts(train)
    some, again = (known_excerpts(train, most=10, seed=4) for _ in range(2))
    assert (len(every), len(some)) == (100, 10)
    assert all((some.by_notes[n] == again.by_notes[n]).all() for n in some.by_notes)
    assert known_excerpts(train, most=100).by_notes.keys() == every.by_notes.keys()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_train=st.integers(1, 4), n_pitches=st.integers(1, 40))
def test_the_highest_score_is_that_of_the_definition(seed, n_train, n_pitches):
    train = [walk((seed, index), n_pitches=n_pitches) for index in range(n_train)]
    excerpt = drawn_excerpt(walk((seed, 99), n_pitches=n_pitches), seed)
    scores = [
        cardinality_score(points(excerpt), points(known))
        for line in train
        for known in melody_excerpts(line)
    ]
    assert known_excerpts(train).highest_score(excerpt) == max(scores)
