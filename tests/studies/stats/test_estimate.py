import math

import numpy as np
import pytest

from studies.stats.estimate import (
    Estimate,
    StatisticsError,
    column,
    complete_pairs,
    not_estimable,
)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["value", "ci_low", "ci_high", "sd"])
def test_an_estimate_is_never_nan_or_infinite(field: str, bad: float) -> None:
    good = {"value": 1.0, "ci_low": 0.0, "ci_high": 2.0, "sd": 1.0}
    with pytest.raises(StatisticsError, match=f"finite {field} of x"):
        Estimate("x", n=1, method="m", sign="s", unit="u", **{**good, field: bad})


def test_what_cannot_be_estimated_says_why() -> None:
    estimate = not_estimable("x", n=0, method="m", sign="s", unit="u", reason="nobody came")
    assert not estimate.is_estimable
    assert estimate.warnings == ("nobody came",)


def test_pairs_without_one_of_the_two_are_left_out() -> None:
    before, after = complete_pairs([1, np.nan, 3, 4], [5, 6, np.nan, 8])
    assert before.tolist() == [1, 4]
    assert after.tolist() == [5, 8]


@pytest.mark.parametrize("bad", [[[1, 2]], [1, np.inf], [-np.inf]])
def test_a_column_of_something_else_is_refused(bad: object) -> None:
    with pytest.raises(StatisticsError, match="expected"):
        column(bad)


def test_columns_of_two_lengths_and_texts_are_refused() -> None:
    with pytest.raises(StatisticsError, match="3 and 2"):
        complete_pairs([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="could not convert"):
        column(["a", "b"])
