import numpy as np
import pytest
from scipy.special import ndtr

from studies.stats.design.interim import (
    Spending,
    blinded_sd,
    classical_bounds,
    conditional_power,
    spending_bounds,
)
from studies.stats.errors import StatisticsError
from tests.studies.stats.references import needs_references, results

SETS = {
    "group_sequential_asOF": (spending_bounds, Spending.OBRIEN_FLEMING),
    "group_sequential_asP": (spending_bounds, Spending.POCOCK),
    "group_sequential_OF": (classical_bounds, Spending.OBRIEN_FLEMING),
    "group_sequential_P": (classical_bounds, Spending.POCOCK),
}


@needs_references
@pytest.mark.parametrize("name", SETS)
def test_bounds_are_those_of_rpact(name: str) -> None:
    expected = results("s06_power")[name]
    bounds_of, kind = SETS[name]
    looks = bounds_of(expected["information"], kind=kind)
    assert [look.bound for look in looks] == pytest.approx(expected["critical_z"], abs=1e-4)
    assert [look.nominal_p for look in looks] == pytest.approx(expected["stage_p"], abs=1e-4)
    assert [look.spent for look in looks] == pytest.approx(expected["alpha_spent"], abs=1e-4)


def test_the_bounds_keep_alpha_in_simulated_trials() -> None:
    information = [0.25, 0.7, 1.0]
    looks = spending_bounds(information)
    steps = np.sqrt(np.diff([0, *information]))
    paths = (np.random.default_rng(3).normal(size=(200_000, 3)) * steps).cumsum(axis=1)
    z = paths / np.sqrt(information)
    crossed = (z > [look.bound for look in looks]).any(axis=1).mean()
    assert crossed == pytest.approx(0.025, abs=0.0011)


def test_one_look_at_the_end_is_the_ordinary_test() -> None:
    (look,) = spending_bounds([1.0])
    assert look.bound == pytest.approx(1.959963984540054)


def test_conditional_power_depends_on_what_is_believed() -> None:
    assert conditional_power(2.5, 0.5, 1.96) > conditional_power(2.5, 0.5, 1.96, drift=0.0)
    # At the very end the bound is passed or it is not.
    assert conditional_power(2.5, 1 - 1e-12, 1.96) == pytest.approx(1)
    halfway = conditional_power(0.0, 0.5, 1.96, drift=2.8)
    assert halfway == pytest.approx(float(ndtr((2.8 * 0.5 - 1.96) / 0.5**0.5)))


def test_blinded_scores_give_the_spread_within_arms() -> None:
    rng = np.random.default_rng(8)
    pooled = np.r_[rng.normal(0, 3, 4000), rng.normal(2, 3, 4000), np.nan]
    assert blinded_sd(pooled, 2) == pytest.approx(3, abs=0.1)
    with pytest.raises(StatisticsError, match="spread more"):
        blinded_sd([1, 1.1, 0.9], 4)
    with pytest.raises(StatisticsError, match="two scores"):
        blinded_sd([1], 4)


@pytest.mark.parametrize("information", [[], [0.5, 0.5], [0.0, 1.0], [0.5, 1.2], [1.0, 0.5]])
def test_information_that_does_not_rise_to_one_is_refused(information: list[float]) -> None:
    with pytest.raises(StatisticsError, match="rising fractions"):
        spending_bounds(information)
    with pytest.raises(StatisticsError, match="one-sided alpha"):
        classical_bounds([1.0], alpha=0.7)
    with pytest.raises(StatisticsError, match="between 0 and 1"):
        conditional_power(1.0, 1.0, 1.96)
