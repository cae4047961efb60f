import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.stats.change import Direction
from studies.stats.equivalence import equivalence, non_inferiority
from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.estimate import Estimate, not_estimable, wald

ABOUT = {"n": 90, "method": "mmrm", "sign": "", "unit": "points"}


def contrast(value: float, se: float = 0.5, df: float | None = 60.0) -> Estimate:
    return wald("x", value, se, df=df, **ABOUT)


@given(
    st.floats(-4, 4), st.floats(0.1, 2), st.one_of(st.none(), st.floats(3, 200)),
    st.floats(0.1, 3), st.sampled_from(Direction),
)  # fmt: skip
def test_tests_and_intervals_agree(
    value: float, se: float, df: float | None, margin: float, direction: Direction
) -> None:
    estimate = contrast(value, se, df)
    new = non_inferiority(estimate, margin, direction=direction)
    assert new.is_shown == (new.p < 0.025)
    alike = equivalence(estimate, margin)
    assert alike.is_shown == (alike.p < 0.05)
    # The interval at 95 % excludes nought exactly when p is below 5 %.
    assert (estimate.p < 0.05) == (estimate.ci_low > 0 or estimate.ci_high < 0)


def test_the_better_end_of_the_score_decides() -> None:
    worse = contrast(1.0, se=0.4)
    assert not non_inferiority(worse, 1.5, direction=Direction.LOWER).is_shown
    assert non_inferiority(worse, 1.5, direction=Direction.HIGHER).is_shown


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(StatisticsError, match="positive margin"):
        equivalence(contrast(0.1), 0)
    nothing = not_estimable("x", reason="an empty cell", **ABOUT)
    with pytest.raises(NotEstimable, match="standard error"):
        equivalence(nothing, 1)
