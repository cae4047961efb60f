import numpy as np
import pytest

from generator.engine.composers.guards import MelodyGuard, chord_taste
from generator.engine.composers.harmony import DOMINANT, TONIC, chord_of
from generator.engine.metrics.originality import (
    OriginalityFilter,
    build_filter,
    melody_pairs,
    run_rows,
)

NOTHING_KNOWN = OriginalityFilter(np.zeros(64, dtype=np.uint8))
HOME = chord_of(0, "major")


def guard_after(pitches, originals=NOTHING_KNOWN):
    guard = MelodyGuard("major", 60, 79, originals)
    for index, pitch in enumerate(pitches):
        guard.push(4 * index, pitch)
    return guard


def allowed(guard, onset=400):
    return set(np.flatnonzero(np.isfinite(guard.weights(onset, HOME))).tolist())


def test_a_melody_keeps_to_key_and_range():
    assert allowed(guard_after([])) == {60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79}


def test_minor_has_its_leading_note_over_the_dominant_only():
    guard = MelodyGuard("minor", 60, 72, NOTHING_KNOWN)
    over = {
        degree: np.flatnonzero(np.isfinite(guard.weights(0, chord_of(degree, "minor")))).tolist()
        for degree in (DOMINANT, TONIC)
    }
    assert over[DOMINANT] == [60, 62, 63, 65, 67, 68, 71, 72]
    assert over[TONIC] == [60, 62, 63, 65, 67, 68, 70, 72]


@pytest.mark.parametrize(("before", "degree"), [(68, 4), (70, 4), (71, 0)])
def test_no_augmented_second_and_no_step_from_one_seventh_to_the_other(before, degree):
    guard = MelodyGuard("minor", 60, 79, NOTHING_KNOWN)
    guard.push(0, before)
    unwanted = {68: 71, 70: 71, 71: 70}[before]
    assert not guard.allows(4, unwanted, chord_of(degree, "minor"))
    assert guard.allows(4, 72, chord_of(degree, "minor"))


def test_leaps_beyond_an_octave_are_forbidden():
    assert max(allowed(guard_after([60]))) == 72


def test_a_fourth_equal_note_is_forbidden():
    assert 67 in allowed(guard_after([67, 67]))
    assert 67 not in allowed(guard_after([67, 67, 67]))


@pytest.mark.parametrize("figure", [[60, 64], [60, 64, 67], [60, 62, 64, 65, 67, 65, 64, 62]])
def test_a_figure_may_not_come_three_times_on_end(figure):
    guard = guard_after((figure * 3)[:-1])
    assert figure[-1] not in allowed(guard)


def test_a_copy_of_thirteen_notes_is_forbidden():
    rng = np.random.default_rng(8)
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    tune = scale[rng.integers(8, size=20)]
    onsets = 4 * np.arange(20)
    known = build_filter(run_rows(melody_pairs(onsets, tune)))
    guard = MelodyGuard("major", 60, 79, known)
    for onset, pitch in zip(onsets[:12], tune[:12], strict=True):
        guard.push(int(onset), int(pitch))
    assert not guard.allows(48, int(tune[12]), HOME)
    assert guard.allows(50, int(tune[12]), HOME)


def test_where_all_is_forbidden_something_is_still_allowed():
    everything = OriginalityFilter(np.full(64, 255, dtype=np.uint8))
    guard = guard_after([60, 62, 64, 65, 67, 65, 64, 62, 60, 64, 67, 69, 71], everything)
    assert allowed(guard)


def test_chord_tones_are_most_welcome_on_strong_beats():
    strong, weak = chord_taste(0, HOME), chord_taste(2, HOME)
    assert strong[64] > weak[64] > 0
    assert strong[65] < strong[62] == 0.0
