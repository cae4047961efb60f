import numpy as np
import pytest

from studies.stats.change import Direction
from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.plan.responder_rules import responses, rule_of
from studies.stats.proportions import (
    Count,
    chi_square,
    clopper_pearson,
    fisher_p,
    number_needed_to_treat,
    odds_ratio,
    responders_by,
    risk_difference,
    risk_ratio,
)
from tests.studies.stats.reference_trials import ARMS, numbers, table
from tests.studies.stats.references import TOLERANCE, needs_references, results

RULES = {
    "psqi": {"any": [{"change_at_least": 3}, {"score_at_most": 5}]},
    "cpss": {"score_at_most": 25},
}


def responded(outcome: str) -> np.ndarray:
    before, after = numbers("s03_sim200", f"{outcome}_0", f"{outcome}_8").T
    return responses(before, after, rule_of(RULES[outcome]), Direction.LOWER)


def counts(outcome: str) -> list[Count]:
    return responders_by([row["arm"] for row in table("s03_sim200")], responded(outcome), ARMS)


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_proportions_and_their_comparisons_are_those_of_r(outcome: str) -> None:
    expected, found = results("s03_sim200")[outcome]["responder_8"], counts(outcome)
    assert [(c.n_responders, c.n) for c in found] == [(r["x"], r["n"]) for r in expected["table"]]
    assert chi_square(found)[0] == pytest.approx(expected["chisq"]["X2"], rel=TOLERANCE)
    assert fisher_p(found) == pytest.approx(expected["fisher_p"], rel=TOLERANCE)
    for count, row in zip(found, expected["table"], strict=True):
        assert clopper_pearson(count) == pytest.approx(row["clopper_pearson95"], rel=TOLERANCE)
    for count, row in zip(found[1:], expected["vs_ref"], strict=True):
        difference = risk_difference(count, found[0])
        assert difference.value == pytest.approx(row["rd"], rel=TOLERANCE)
        assert difference.p == pytest.approx(row["p_chisq"], rel=TOLERANCE)
        assert fisher_p([count, found[0]]) == pytest.approx(row["p_fisher"], rel=TOLERANCE)
        for ours, key in (
            (difference, "rd_newcombe95"), (risk_ratio(count, found[0]), "rr_katz95"),
            (odds_ratio(count, found[0]), "or_wald95"),
        ):  # fmt: skip
            assert [ours.ci_low, ours.ci_high] == pytest.approx(row[key], rel=TOLERANCE)


def test_a_number_needed_to_treat_is_shown_only_where_the_difference_is_clear() -> None:
    clear = number_needed_to_treat(risk_difference(Count(40, 50), Count(20, 50)))
    assert clear.value == pytest.approx(2.5)
    assert clear.ci_low < 2.5 < clear.ci_high
    unclear = number_needed_to_treat(risk_difference(Count(22, 50), Count(20, 50)))
    assert unclear.value is None
    assert "includes nought" in unclear.warnings[0]


def test_empty_arms_and_cells_are_labelled() -> None:
    assert risk_difference(Count(0, 0), Count(1, 2)).warnings == ("an arm has nobody",)
    assert risk_ratio(Count(0, 5), Count(1, 5)).warnings == ("an arm has no responders",)
    assert odds_ratio(Count(5, 5), Count(1, 5)).warnings == ("a cell of the table is empty",)
    assert chi_square([Count(5, 5), Count(5, 5)]) == (None, 1, None)
    assert risk_difference(Count(5, 5), Count(5, 5)).value == 0


def test_fisher_says_when_there_are_too_many_tables() -> None:
    with pytest.raises(NotEstimable, match="Pearson"):
        fisher_p([Count(50, 1000)] * 4)
    with pytest.raises(StatisticsError, match="0 to 4 responders, got 5"):
        Count(5, 4)
