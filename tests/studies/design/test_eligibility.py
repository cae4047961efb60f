import pytest

from studies.design.eligibility import Rule, decide, decide_known
from studies.design.errors import ProtocolError

RULES = (Rule("age_years", at_least=12, at_most=18), Rule("cpss_total", at_least=26))


@pytest.mark.parametrize(
    ("age", "cpss", "eligible"),
    [(12, 26, True), (18, 56, True), (11, 40, False), (19, 40, False), (15, 25, False)],
)
def test_both_ends_of_a_rule_count(age: int, cpss: float, eligible: bool) -> None:
    assert decide(RULES, {"age_years": age, "cpss_total": cpss}).is_eligible is eligible


def test_every_rule_that_stands_in_the_way_is_named() -> None:
    verdict = decide(RULES, {"age_years": 20, "cpss_total": 10.0})
    assert verdict.reasons == (
        "age_years 12-18 expected, got 20",
        "cpss_total 26 or more expected, got 10",
    )


def test_an_unknown_fact_makes_nobody_eligible() -> None:
    assert decide(RULES, {"age_years": 15}).reasons == (
        "cpss_total 26 or more expected, not known",
    )
    assert decide(RULES, {"age_years": 15, "cpss_total": None}).reasons


def test_what_is_not_known_yet_does_not_count_against_an_invitation() -> None:
    assert decide_known(RULES, {"age_years": 15}).is_eligible
    assert not decide_known(RULES, {"age_years": 30}).is_eligible


@pytest.mark.parametrize("bounds", [{}, {"at_least": 5, "at_most": 4}])
def test_a_rule_without_a_range_is_refused(bounds: dict[str, float]) -> None:
    with pytest.raises(ProtocolError, match="bound"):
        Rule("age_years", **bounds)
