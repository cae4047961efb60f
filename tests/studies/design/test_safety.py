from dataclasses import replace

import pytest

from studies.design.errors import ProtocolError
from studies.design.protocol import Protocol, four_arms
from studies.design.protocol_file import read, write
from studies.design.safety import HelpLine, SafetyPlan, SafetyRule, rules_met

WORSE = SafetyRule("worse", "psqi_total", rises_by=5)
ITEM = SafetyRule("item", "cpss.item_2", at_least=4, due_hours=24)
PLAN = SafetyPlan(rules=(WORSE, ITEM), help_lines=(HelpLine("en", "Call 116 111"),))


@pytest.mark.parametrize(
    ("facts", "baseline", "met"),
    [
        ({"psqi_total": 14.0}, {"psqi_total": 9.0}, ["worse"]),
        ({"psqi_total": 13.0}, {"psqi_total": 9.0}, []),
        ({"psqi_total": 21.0}, {}, []),
        ({"psqi_total": None}, {"psqi_total": 9.0}, []),
        ({"cpss.item_2": 4}, {}, ["item"]),
        ({"cpss.item_2": 3, "psqi_total": 20.0}, {"psqi_total": 2.0}, ["worse"]),
    ],
)
def test_a_rule_is_met_by_what_is_known_and_by_nothing_else(
    facts: dict[str, float | None], baseline: dict[str, float], met: list[str]
) -> None:
    assert [rule.name for rule in rules_met(PLAN, facts, baseline)] == met


def test_help_lines_are_those_of_the_language() -> None:
    assert PLAN.lines_in("en") == ("Call 116 111",)
    assert PLAN.lines_in("zh-hans") == ()


def test_a_protocol_carries_its_safety_through_its_json_and_its_file() -> None:
    plan = replace(four_arms(), safety=PLAN)
    assert Protocol.from_json(plan.to_json()).safety == PLAN
    assert read(write(plan)) == plan


def test_a_protocol_from_before_has_the_cautious_rules_and_keeps_its_hash() -> None:
    plain = four_arms().to_json()
    assert "safety" not in plain
    assert {rule.name for rule in Protocol.from_json(plain).safety.rules} == {
        "sleep_worse",
        "stress_worse",
    }
    assert Protocol.from_json(plain).sha256 == four_arms().sha256


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b", "fact": "psqi_total", "at_least": 1},
        {"name": "x", "fact": "psqi_total"},
        {"name": "x", "fact": "psqi_total", "at_least": 1, "rises_by": 1},
        {"name": "x", "fact": "psqi.item_1", "rises_by": 1},
        {"name": "x", "fact": "psqi_total", "rises_by": -1},
        {"name": "x", "fact": "total", "at_least": 1},
        {"name": "x", "fact": "psqi_total", "at_least": 1, "due_hours": 0},
    ],
)
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="expected"):
        SafetyRule(**wrong)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ProtocolError, match="different names"):
        SafetyPlan(rules=(WORSE, WORSE))
