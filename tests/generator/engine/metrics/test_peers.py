"""One melody as other packages measure it: figures of runs of muspy 0.5.0 and smg-metrics 5.4.3."""

import numpy as np
import pytest

from generator.engine.metrics.line import make_line
from generator.engine.metrics.pitch import in_asked_key, pitch_class_entropy, scale_consistency
from generator.engine.metrics.rhythm import rhythm_consistency

# fmt: off
ONSETS = np.array([
    0, 3, 4, 8, 10, 12, 16, 20, 23, 24, 28, 32, 36, 38, 40,
    46, 48, 52, 56, 57, 60, 64, 70, 72, 76, 80, 84, 86, 88, 92,
])
PITCHES = np.array([
    60, 62, 64, 67, 65, 64, 62, 60, 61, 62, 67, 69, 67, 66, 64,
    62, 60, 64, 67, 72, 71, 69, 65, 64, 62, 60, 58, 59, 60, 60,
])
# fmt: on


def test_pitch_classes_are_as_even_as_muspy_finds_them():
    assert pitch_class_entropy(PITCHES) == pytest.approx(3.01119841549929)


@pytest.mark.parametrize(("tonic", "mode", "share"), [(0, "major", 0.9), (2, "minor", 26 / 30)])
def test_as_many_notes_lie_in_a_scale_as_muspy_counts(tonic, mode, share):
    line = make_line(ONSETS, PITCHES, np.ones(len(ONSETS)), tonic=tonic, mode=mode)
    assert in_asked_key(line) == pytest.approx(share)


def test_the_best_of_24_scales_holds_what_muspy_finds():
    assert scale_consistency(PITCHES) == pytest.approx(0.9)


def test_two_bars_are_as_alike_as_muspy_finds_them():
    """MusPy's groove compares neighbours alone, so with two bars it compares all pairs."""
    assert rhythm_consistency(ONSETS[ONSETS < 32]) == pytest.approx(0.8125)


def test_all_pairs_of_bars_are_as_alike_on_64_places_as_smg_metrics_finds_them():
    assert rhythm_consistency(4 * ONSETS, 64) == pytest.approx(0.9541666666666667)
