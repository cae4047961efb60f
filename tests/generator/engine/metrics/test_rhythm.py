import math

import numpy as np
import pytest

from generator.engine.metrics.rhythm import rhythm_consistency


def test_equal_bars_are_wholly_consistent():
    assert rhythm_consistency(np.array([0, 4, 16, 20, 32, 36])) == 1.0


def test_two_bars_that_share_nothing_differ_at_their_onsets():
    assert rhythm_consistency(np.array([0, 4, 17, 21])) == pytest.approx(1 - 4 / 16)


def test_empty_bars_do_not_count():
    assert rhythm_consistency(np.array([0, 160])) == 1.0


def test_the_closed_form_is_the_mean_over_all_pairs():
    rng = np.random.default_rng(3)
    grid = rng.random((7, 16)) < 0.3
    grid[:, 0] = True
    onsets = np.flatnonzero(grid)
    pairs = [np.mean(a != b) for i, a in enumerate(grid) for b in grid[i + 1 :]]
    assert rhythm_consistency(onsets) == pytest.approx(1 - np.mean(pairs))


def test_one_bar_has_no_consistency():
    assert math.isnan(rhythm_consistency(np.array([0, 4])))
