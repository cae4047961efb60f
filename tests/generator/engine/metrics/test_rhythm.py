import math

import numpy as np
import pytest

from generator.engine.metrics.rhythm import (
    beat_matching,
    corrected_consistency,
    on_beat_share,
    position_histogram,
    rhythm_consistency,
    rhythm_consistency_by_chance,
)


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


def test_the_chance_value_is_what_shuffled_bars_have():
    rng = np.random.default_rng(2)
    bars = [np.sort(rng.choice(16, rng.integers(2, 7), replace=False)) for _ in range(30)]
    whole = np.concatenate([16 * i + bar for i, bar in enumerate(bars)])
    shuffled = [
        rhythm_consistency(
            np.concatenate([16 * i + rng.choice(16, len(b), False) for i, b in enumerate(bars)])
        )
        for _ in range(300)
    ]
    assert rhythm_consistency_by_chance(whole) == pytest.approx(np.mean(shuffled), abs=0.003)


def test_kappa_is_one_for_equal_bars_and_about_zero_for_chance():
    equal = np.concatenate([16 * bar + np.array([0, 4, 7, 12]) for bar in range(12)])
    assert corrected_consistency(equal) == pytest.approx(1.0)
    rng = np.random.default_rng(3)
    chance = np.concatenate([16 * bar + rng.choice(16, 4, False) for bar in range(200)])
    assert abs(corrected_consistency(chance)) < 0.05


def test_two_bars_by_hand():
    # They differ at places 4 and 8; by chance with p = 2/16 at each place: 2 p (1 - p).
    onsets = np.array([0, 4, 16, 24])
    assert rhythm_consistency(onsets) == pytest.approx(1 - 2 / 16)
    assert rhythm_consistency_by_chance(onsets) == pytest.approx(1 - (4 / 16 - 2 / 64))


def test_the_grid_of_64_flatters():
    onsets = np.array([0, 4, 16, 24])
    assert rhythm_consistency(4 * onsets, 64) == pytest.approx(1 - 2 / 64)


def test_beat_matching_is_one_for_the_reference_itself():
    onsets = np.array([0, 4, 8, 8 + 16, 12 + 16])
    reference = position_histogram(onsets)
    assert beat_matching(onsets, reference) == pytest.approx(1.0)
    assert beat_matching(onsets + 1, reference) == pytest.approx(0.0)


def test_beats_are_matched_where_a_note_falls_on_them():
    assert on_beat_share(np.array([0, 2, 5, 6, 8])) == pytest.approx(2 / 3)
    assert np.isnan(on_beat_share(np.array([], dtype=int)))
