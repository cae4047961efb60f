import copy
import json
from typing import Any

import pytest

from studies.stats.change import Direction
from studies.stats.errors import PlanError
from studies.stats.family import Adjustment
from studies.stats.plan.plan import (
    ESTIMAND,
    METHODS,
    MISSING_CODES,
    STRATEGIES,
    schema,
    visit_label,
)
from studies.stats.plan.reading import plan_of
from studies.stats.plan.responder_rules import CONDITIONS
from studies.stats.regression.small_sample import SmallSample

SMALLEST: dict[str, Any] = {
    "columns": {"id": "id", "arm": "arm", "visit": "visit"},
    "reference_arm": "CBT",
    "baseline_visit": 0,
    "visits": [4, 8],
    "outcomes": {
        "psqi": {
            "direction": "lower",
            "responder": {"any": [{"change_at_least": 3}, {"score_at_most": 5}]},
        }
    },
    "strata": ["sex"],
    "primary": {
        "outcome": "psqi", "visit": 8, "method": "mmrm", "df": "kenward_roger", "adjust": "holm",
    },
}  # fmt: skip


def changed(**keys: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALLEST), **keys}


def test_the_smallest_plan_has_every_default() -> None:
    plan = plan_of(SMALLEST)
    assert plan.visits == ("4", "8")
    assert (plan.primary.method, plan.primary.visit) == ("mmrm", "8")
    assert plan.primary.small_sample is SmallSample.KENWARD_ROGER
    assert plan.primary.adjust is Adjustment.HOLM
    assert (plan.level, plan.baseline_by_visit, plan.arms) == (0.95, True, ())


def test_a_plan_written_out_says_the_same_as_the_plan() -> None:
    plan = plan_of(SMALLEST)
    data = {key: value for key, value in plan.as_data().items() if value != ""}
    assert plan_of(data | {"arms": ["CBT", "GAMC"]}).primary == plan.primary
    assert plan.digest == plan_of(copy.deepcopy(SMALLEST)).digest
    assert plan.digest != plan_of(changed(visits=[8])).digest


def test_the_published_schema_allows_what_the_plan_reads() -> None:
    properties = schema()["properties"]
    primary = properties["primary"]["properties"]
    assert set(primary["method"]["enum"]) == set(METHODS)
    assert set(primary["df"]["enum"]) == set(SmallSample)
    assert set(primary["adjust"]["enum"]) == set(Adjustment)
    assert set(properties["missing_codes"]["default"]) == set(MISSING_CODES)
    outcome = properties["outcomes"]["additionalProperties"]["properties"]
    assert set(outcome["direction"]["enum"]) == set(Direction)
    assert set(schema()["$defs"]["rule"]["properties"]) == {*CONDITIONS, "any", "all"}
    strategies = properties["sensitivity"]["properties"]["strategies"]["items"]["enum"]
    assert set(strategies) == set(STRATEGIES)
    assert set(plan_of(SMALLEST).as_data()) <= set(properties)


def test_the_estimand_is_kept_in_the_words_of_the_guideline() -> None:
    words = {"population": "all randomised", "intercurrent_events": "treatment policy"}
    assert plan_of(changed(estimand=words)).as_data()["estimand"] == words
    assert set(schema()["properties"]["estimand"]["properties"]) == set(ESTIMAND)


def test_one_visit_may_be_written_in_several_ways() -> None:
    assert visit_label(8) == visit_label("8.0") == visit_label(" 8 ") == "8"
    assert visit_label("week 8") == "week 8"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([], "an object for the plan"),
        ({}, "'columns' in the plan"),
        (changed(colour="red"), "got colour"),
        (changed(columns={"id": "id", "arm": "arm"}), "'visit' in columns"),
        (changed(visits=[]), "one or more"),
        (changed(visits=[8, 8.0]), "different visits"),
        (changed(visits=[0, 8]), "other than the baseline"),
        (changed(visits="8"), "a list for visits"),
        (changed(arms=["GAMC", "MCMG"]), "reference arm among the arms"),
        (changed(outcomes={"psqi": {"direction": "up"}}), "outcomes.psqi.direction"),
        (changed(outcomes={"psqi": {"margin": -1}}), "positive margin"),
        (changed(outcomes={"psqi": {"formula": "y ~ x"}}), "got formula"),
        (changed(outcomes={}), "primary.outcome"),
        (changed(primary={"outcome": "psqi"}), "'visit' in primary"),
        (changed(primary={"outcome": "cpss", "visit": 8}), "primary.outcome"),
        (changed(primary={"outcome": "psqi", "visit": 9}), "primary.visit"),
        (changed(primary={"outcome": "psqi", "visit": 8, "method": "magic"}), "primary.method"),
        (changed(level=95), "a level of 0.5 to 1"),
        (changed(level=True), "a number for level"),
        (changed(hierarchy=["cpss"]), "hierarchy"),
        (changed(strata=[3]), "a name for strata"),
        (changed(baseline_by_visit=1), "true or false"),
        (changed(estimand={"colour": "red"}), "got colour"),
        (changed(estimand={"summary": 3}), "a name for estimand.summary"),
        (changed(seed=0), "whole number"),
        (changed(randomisation={"ratios": {"CBT": 1}, "sizes": []}), "multiples of 1"),
        (changed(randomisation={"ratios": {"CBT": 2, "X": 2}, "sizes": [6]}), "multiples of 4"),
        (changed(sensitivity={"strategies": ["LOCF"]}), "sensitivity.strategies"),
    ],
)  # fmt: skip
def test_a_plan_that_says_something_else_is_refused_by_name(plan: Any, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan_of(json.loads(json.dumps(plan)))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"arms": ["CBT", "MCMG"], "adherence": "minutes"},
        {"mediation": [{"outcome": "psqi", "visit": 4}], "exposure": ["tempo"]},
        {"reliability": {"psqi": ["a", "b"]}, "interim": {"information": [0.5, 1], "now": 1}},
    ],
)
def test_a_plan_that_was_written_out_is_read_as_the_same_plan(keys):
    plan = plan_of(changed(**keys))
    again = plan_of(json.loads(json.dumps(plan.as_data())))
    assert again.as_data() == plan.as_data()
    assert again.digest == plan.digest
