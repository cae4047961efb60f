import numpy as np
import pytest

from studies.stats.change import Direction
from studies.stats.errors import PlanError
from studies.stats.plan.responder_rules import grades, responses, rule_of

NAN = float("nan")


def test_any_and_all_join_conditions() -> None:
    rules = [{"change_at_least": 3}, {"score_at_most": 5}]
    before, after = [10, 10, 6, 6, NAN], [7, 8, 5, 2, 1]
    either = responses(before, after, rule_of({"any": rules}), Direction.LOWER)
    both = responses(before, after, rule_of({"all": rules}), Direction.LOWER)
    np.testing.assert_array_equal(either, [1, 0, 1, 1, NAN])
    np.testing.assert_array_equal(both, [0, 0, 0, 1, NAN])


def test_a_higher_score_may_be_the_better_one() -> None:
    rule = rule_of({"change_at_least": 5})
    np.testing.assert_array_equal(responses([80, 80], [85, 84], rule, Direction.HIGHER), [1, 0])
    reached = rule_of({"score_at_least": 85})
    np.testing.assert_array_equal(responses([80, 80], [85, 84], reached, Direction.HIGHER), [1, 0])


def test_a_rate_has_no_meaning_at_a_baseline_of_nought() -> None:
    rule = rule_of({"rate_at_least": 50})
    np.testing.assert_array_equal(
        responses([0, 10, 10], [0, 5, 6], rule, Direction.LOWER), [0, 1, 0]
    )


def test_grades_follow_their_cut_offs() -> None:
    found = grades([20, 20, 20, 20, 0, NAN], [4, 10, 15, 16, 0, 3])
    assert found == {"cured": 1, "marked": 1, "effective": 1, "ineffective": 1}
    assert grades([10, 10], [15, 20], direction=Direction.HIGHER)["cured"] == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "one key"),
        ({"any": []}, "list of conditions"),
        ({"change": 3}, "got 'change'"),
        ({"change_at_least": "3"}, "number for change_at_least"),
        ({"score_at_most": True}, "number for score_at_most"),
        ("x > 3", "one key"),
    ],
)
def test_what_is_no_rule_is_refused(data: object, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        rule_of(data)
