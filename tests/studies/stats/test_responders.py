import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from studies.stats.change import Direction
from studies.stats.errors import StatisticsError
from studies.stats.responders import ResponderRule, responder_proportion, wilson


@settings(deadline=None)
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_interval_that_scipy_gives(case: tuple[int, int]) -> None:
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    estimate = wilson(successes, n)
    assert estimate.value == successes / n
    assert estimate.ci_low == pytest.approx(expected.low, abs=1e-9)
    assert estimate.ci_high == pytest.approx(expected.high, abs=1e-9)


def test_newcombes_published_example() -> None:
    # Newcombe (1998), table I, method 3: 81 of 263 gives 0.2553 to 0.3662.
    estimate = wilson(81, 263)
    assert (round(estimate.ci_low, 4), round(estimate.ci_high, 4)) == (0.2553, 0.3662)


def test_either_condition_makes_a_responder() -> None:
    rule = ResponderRule(change_at_least=3, score_reached=5)
    estimate = responder_proportion([12, 12, 6, 12, np.nan], [9, 10, 5, 12, 1], rule)
    assert (estimate.value, estimate.n) == (0.5, 4)


def test_a_score_where_higher_is_better_is_turned() -> None:
    rule = ResponderRule(score_reached=8)
    estimate = responder_proportion([1, 1], [9, 7], rule, direction=Direction.HIGHER)
    assert estimate.value == 0.5


def test_nobody_and_impossible_counts() -> None:
    assert responder_proportion([np.nan], [1], ResponderRule(change_at_least=3)).value is None
    with pytest.raises(StatisticsError, match="0 to 3"):
        wilson(4, 3)
    with pytest.raises(StatisticsError, match="neither"):
        ResponderRule()
