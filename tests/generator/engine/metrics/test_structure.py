import numpy as np
import pytest

from generator.engine.metrics.line import make_line
from generator.engine.metrics.structure import bar_similarity, structure_length, structureness


def theme_every(n_bars, times, seed=1):
    rng = np.random.default_rng(seed)
    onsets, pitches = [], []
    bars = [
        (np.sort(rng.choice(16, 5, replace=False)), rng.integers(60, 72, 5)) for _ in range(n_bars)
    ]
    for bar in range(n_bars * times):
        places, notes = bars[bar % n_bars]
        onsets += (bar * 16 + places).tolist()
        pitches += notes.tolist()
    return make_line(onsets, pitches, np.ones(len(onsets)))


@pytest.mark.parametrize("n_bars", [4, 6, 8])
def test_a_piece_that_repeats_every_few_bars_comes_back_after_as_many(n_bars):
    assert structure_length(theme_every(n_bars, 4)) == n_bars


def test_equal_bars_are_alike_and_disjoint_bars_are_not():
    line = make_line([0, 4, 16, 20, 33, 37], [60, 62, 60, 62, 61, 63], np.ones(6))
    likeness = bar_similarity(line)
    assert likeness[0, 1] == pytest.approx(1.0)
    assert likeness[0, 2] == pytest.approx(0.0)


def test_a_short_piece_has_no_form_to_measure():
    line = make_line([0, 16], [60, 62], [1, 1])
    assert np.isnan(structure_length(line))
    assert np.isnan(structureness(line)).all()


def test_the_return_is_found_in_its_span():
    near, middle, _ = structureness(theme_every(10, 3))
    assert middle == pytest.approx(1.0)
    assert near < 0.9
