import json
from dataclasses import asdict, replace

import pytest

from studies.design.cbt_plan import CbtPlan
from studies.design.errors import DesignError
from studies.design.protocol import Protocol, four_arms


def test_the_settings_survive_json_inside_the_protocol() -> None:
    plan = replace(four_arms(), cbt=CbtPlan(module_days=7, office_days=(0, 2)))
    again = Protocol.from_json(json.loads(json.dumps(plan.to_json())))
    assert again.skills == plan.cbt
    assert again.sha256 == plan.sha256 != four_arms().sha256


def test_a_protocol_from_before_the_settings_keeps_its_hash_and_gets_the_default() -> None:
    old = replace(four_arms(), cbt=None)
    assert "cbt" not in old.to_json()
    again = Protocol.from_json(old.to_json())
    assert again.sha256 == old.sha256
    assert again.skills == CbtPlan()


@pytest.mark.parametrize(
    "changes",
    [
        {"module_days": 40},
        {"module_nights": 7},
        {"booster_days": 99},
        {"diary_days_back": 7},
        {"office_days": ()},
        {"office_days": (7,)},
        {"office_from": "9:00"},
        {"office_from": "18:00"},
        {"office_to": "25:00"},
        {"office_to": "aa:bb"},
        {"nonsense": 1},
        {"window": {"floor_min": 300}},
        {"window": {"nonsense": 300}},
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes: dict) -> None:
    plain = json.loads(json.dumps({**asdict(CbtPlan()), **changes}))
    with pytest.raises(DesignError):
        CbtPlan.from_json(plain)
