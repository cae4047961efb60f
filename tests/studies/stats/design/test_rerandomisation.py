import numpy as np
import pytest
from scipy.special import fdtrc

from studies.stats.design.rerandomisation import draw_allocations, randomisation_test
from studies.stats.errors import NotEstimable, StatisticsError

RATIOS = {"CBT": 1, "LSTM_ACM": 1, "MCMG": 2}


def test_drawn_allocations_keep_blocks_and_ratios_within_strata() -> None:
    strata = ["girls", "boys"] * 24
    (arms,) = draw_allocations(strata, RATIOS, [8], 50, seed=2)
    for stratum in ("girls", "boys"):
        inside = arms[:, np.array(strata) == stratum]
        for block in range(3):
            counts = np.stack(
                [(inside[:, 8 * block : 8 * block + 8] == a).sum(1) for a in range(3)]
            )
            np.testing.assert_array_equal(counts.T, np.tile([2, 2, 4], (50, 1)))
    assert len(np.unique(arms, axis=0)) == 50


def test_blocks_of_several_sizes_are_balanced_at_each_of_their_ends() -> None:
    (arms,) = draw_allocations(["all"] * 24, {"a": 1, "b": 1}, [4, 8], 200, seed=1)
    excess = np.cumsum(np.where(arms == 0, 1, -1), axis=1)
    assert np.abs(excess).max() <= 4
    # Both sizes occur: after four slots some draws are balanced by force, some are not.
    assert 0.4 < (excess[:, 3] == 0).mean() < 1
    again = list(draw_allocations(["all"] * 24, {"a": 1, "b": 1}, [4, 8], 200, seed=1))
    np.testing.assert_array_equal(again[0], arms)


def test_without_an_effect_p_is_near_that_of_covariance_analysis() -> None:
    rng = np.random.default_rng(5)
    n = 120
    (arms,) = draw_allocations(["all"] * n, RATIOS, [4, 8], 1, seed=7)
    base = rng.normal(12, 3, n)
    outcomes = base + rng.normal(0, 2, n)
    outcomes[:5] = np.nan
    w = np.column_stack([np.ones(n), base])
    draws = draw_allocations(["all"] * n, RATIOS, [4, 8], 4000, seed=3)
    found = randomisation_test(outcomes, w, arms[0], draws)
    assert (found.n, found.n_draws) == (115, 4000)
    assert found.p == pytest.approx(float(fdtrc(2, 115 - 4, found.f)), abs=0.03)


def test_a_clear_effect_is_found_and_p_is_never_nought() -> None:
    rng = np.random.default_rng(5)
    (arms,) = draw_allocations(["all"] * 60, RATIOS, [4], 1, seed=7)
    outcomes = rng.normal(0, 1, 60) - 4 * (arms[0] == 1)
    draws = draw_allocations(["all"] * 60, RATIOS, [4], 500, seed=3)
    assert randomisation_test(outcomes, np.ones((60, 1)), arms[0], draws).p == 1 / 501


def test_constant_outcomes_and_odd_blocks_are_refused() -> None:
    arms = np.arange(8) % 2
    with pytest.raises(NotEstimable, match="constant"):
        randomisation_test(np.ones(8), np.ones((8, 1)), arms, iter(()))
    with pytest.raises(NotEstimable, match="more participants"):
        randomisation_test(np.full(8, np.nan), np.ones((8, 1)), arms, iter(()))
    with pytest.raises(StatisticsError, match="multiples of 4"):
        next(draw_allocations(["all"], RATIOS, [6], 1))
