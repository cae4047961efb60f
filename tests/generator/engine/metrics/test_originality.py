import numpy as np

from generator.engine.metrics.originality import (
    RUN_PAIRS,
    OriginalityFilter,
    build_filter,
    longest_copied_run,
    melody_pairs,
    run_rows,
)

RNG = np.random.default_rng(5)
TRAINING = [(np.cumsum(RNG.integers(1, 9, 80)), RNG.integers(50, 80, 80)) for _ in range(40)]


def training_rows(length=RUN_PAIRS):
    return np.concatenate([run_rows(melody_pairs(*melody), length) for melody in TRAINING])


def test_a_filter_never_misses_what_it_was_shown():
    rows = training_rows()
    assert build_filter(rows).knows(rows).all()


def test_a_filter_takes_few_strangers_for_known():
    known = build_filter(training_rows())
    strangers = RNG.integers(-30, 30, size=(5000, 2 * RUN_PAIRS))
    assert known.knows(strangers).mean() < 0.03


def test_only_the_pitch_that_completes_a_copy_is_flagged():
    known = build_filter(training_rows())
    onsets, pitches = (values[:13].tolist() for values in TRAINING[0])
    candidates = np.arange(40, 90)
    flagged = known.are_copies(onsets[:-1], pitches[:-1], onsets[-1], candidates)
    assert pitches[-1] in candidates[flagged]
    assert flagged.sum() <= 4


def test_a_transposed_copy_is_a_copy():
    known = build_filter(training_rows())
    onsets, pitches = TRAINING[3]
    rows = run_rows(melody_pairs(onsets, pitches + 7))
    assert known.knows(rows).all()


def test_short_melodies_copy_nothing():
    empty = OriginalityFilter(np.full(8, 255, dtype=np.uint8))
    assert not empty.are_copies([0, 4], [60, 62], 8, np.array([64])).any()


def test_the_longest_copied_run_is_counted_in_notes():
    known = [
        {row.astype(np.int16).tobytes() for row in training_rows(length)} for length in range(1, 30)
    ]
    onsets, pitches = TRAINING[7]
    mixed = np.concatenate([pitches[20:35], RNG.integers(90, 120, 20)])
    at = np.concatenate([onsets[20:35], onsets[34] + 40 * np.arange(1, 21)])
    assert longest_copied_run(at, mixed, known) == 15
