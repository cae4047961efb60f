import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.stats.descriptives import describe, mean_interval
from studies.stats.errors import NotEstimable, StatisticsError
from tests.studies.stats.references import TOLERANCE, columns, needs_references, results

ARMS = ("CBT", "LSTM_ACM", "MCMG", "GAMC")


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
@pytest.mark.parametrize("week", [0, 4, 8])
@pytest.mark.parametrize("arm", ARMS)
def test_r_describes_the_simulated_trial_alike(outcome: str, week: int, arm: str) -> None:
    (values,) = columns("s03_sim200", f"{outcome}_{week}", arm=arm)
    table = next(row for row in results("s03_sim200")[outcome]["describe"] if row["week"] == week)
    expected, got = table["stats"][arm], describe(values)
    assert (got.n, got.n_missing) == (expected["n"], expected["missing"])
    quartiles = expected["quantile_type7"]
    for ours, theirs in (
        (got.mean, expected["mean"]),
        (got.sd, expected["sd"]),
        (got.median, expected["median"]),
        (got.q25, quartiles[1]),
        (got.q75, quartiles[3]),
        (got.minimum, expected["min"]),
        (got.maximum, expected["max"]),
        (got.ci_low, expected["ci95_t"][0]),
        (got.ci_high, expected["ci95_t"][1]),
    ):
        assert ours == pytest.approx(theirs, rel=TOLERANCE)


def test_nothing_one_and_two_values() -> None:
    nothing, one, two = describe([np.nan]), describe([3.0]), describe([3.0, 5.0, np.nan])
    assert (nothing.n, nothing.n_missing, nothing.mean, nothing.maximum) == (0, 1, None, None)
    assert (one.n, one.mean, one.sd, one.ci_low) == (1, 3.0, None, None)
    assert (two.n, two.n_missing, two.mean) == (2, 1, 4.0)
    assert two.ci_low < 3 < two.ci_high


def test_equal_values_have_an_interval_of_no_width() -> None:
    described = describe([4.0] * 5)
    assert (described.sd, described.ci_low, described.ci_high) == (0.0, 4.0, 4.0)


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=30))
def test_a_description_is_finite_and_in_order(values: list[float]) -> None:
    described = describe(values)
    assert described.n + described.n_missing == len(values)
    if described.n:
        assert described.minimum <= described.q25 <= described.median
        assert described.median <= described.q75 <= described.maximum


def test_an_interval_of_one_value_and_an_infinite_value_are_refused() -> None:
    with pytest.raises(NotEstimable, match="got 1"):
        mean_interval(np.array([1.0]))
    with pytest.raises(StatisticsError, match="infinite"):
        describe([np.inf])
