import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.design.errors import DesignError
from studies.design.intervals import total_s, union

seconds = st.floats(-100, 400, allow_nan=False)
stretches = st.lists(st.tuples(seconds, seconds).map(sorted), max_size=12)


@given(stretches)
def test_a_union_is_sorted_disjoint_and_within_the_file(played: list[list[float]]) -> None:
    merged = union(played, 300.0)
    bounds = [bound for interval in merged for bound in interval]
    assert bounds == sorted(bounds)
    assert len(set(bounds)) == len(bounds)
    assert all(0 <= bound <= 300 for bound in bounds)
    assert total_s(merged) <= 300 + 1e-9


@given(stretches, stretches)
def test_hearing_it_again_or_in_another_order_adds_nothing(
    first: list[list[float]], second: list[list[float]]
) -> None:
    both = union([*first, *second], 300.0)
    assert union([*both, *first], 300.0) == both
    assert union([*second, *first, *second], 300.0) == both


def test_touching_stretches_become_one() -> None:
    assert union([[10, 20], [0, 10], [30, 30], [25, 40]], 35.0) == [[0, 20], [25, 35]]


@pytest.mark.parametrize(
    "bad", [[5, 1], [math.nan, 1], [0, math.inf], ["a", 1], [1], [1, 2, 3], None]
)
def test_what_is_no_stretch_is_refused(bad: object) -> None:
    with pytest.raises(DesignError, match="pairs of seconds"):
        union([bad], 300.0)
