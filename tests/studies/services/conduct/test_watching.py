from dataclasses import replace
from datetime import timedelta

import pytest

from studies import clock
from studies.design.protocol import Protocol, four_arms
from studies.design.safety import SafetyPlan, SafetyRule
from studies.models.safety import ActionItem, ItemKind
from studies.services.conduct.watching import look_at_answers
from tests.factories import answer_visit, make_participant, make_study

pytestmark = pytest.mark.django_db


def _plan(*rules: SafetyRule) -> Protocol:
    return replace(four_arms(1), safety=SafetyPlan(rules=rules))


def test_a_score_that_rose_since_baseline_opens_one_item_with_its_due_time() -> None:
    rule = SafetyRule("stress_worse", "cpss_total", rises_by=10, due_hours=48)
    study = make_study(protocol=_plan(rule))
    participant = make_participant("allocated", study=study)
    assert look_at_answers() == 0  # baseline rises above nothing
    now = clock.now() + timedelta(weeks=4)
    with clock.at(now):
        answer_visit(participant, week=4, level=4)
        assert look_at_answers(participant=participant) == 1
        assert look_at_answers() == 0
    item = ActionItem.objects.get()
    assert (item.kind, item.told) == (ItemKind.RULE, "stress_worse: cpss_total 56")
    assert item.due_at == now + timedelta(hours=48)
    assert item.assessment.instrument == "cpss"


def test_better_scores_open_nothing() -> None:
    participant = make_participant("allocated")
    with clock.at(clock.now() + timedelta(weeks=4)):
        answer_visit(participant, week=4, level=1)
        assert look_at_answers() == 0


def test_one_answer_can_be_enough_at_baseline_too() -> None:
    rule = SafetyRule("overwhelmed", "cpss.item_1", at_least=3)
    make_participant("baseline_done", study=make_study(protocol=_plan(rule)))
    assert look_at_answers() == 1
    assert ActionItem.objects.get().told == "overwhelmed: cpss.item_1 3"


def test_what_was_handed_in_long_ago_was_looked_at_then() -> None:
    rule = SafetyRule("overwhelmed", "cpss.item_1", at_least=3)
    make_participant("baseline_done", study=make_study(protocol=_plan(rule)))
    with clock.at(clock.now() + timedelta(days=8)):
        assert look_at_answers() == 0
