import pytest
from django.utils import translation

from studies.design.eligibility import Rule
from studies.models.participant import ParticipantState
from studies.views.reasons import not_ready, obstacles, obstacles_of
from tests.factories import make_participant

AGE, STRESS = Rule("age_years", 12, 18), Rule("cpss_total", at_least=26)


def test_each_broken_rule_is_told_with_what_was_expected_and_what_came():
    assert obstacles([AGE, STRESS], {"age_years": 40, "cpss_total": 12.5}) == [
        "Age in years: 12 to 18 expected, got 40",
        "CPSS total: 26 or more expected, got 12.5",
    ]


def test_rules_that_hold_and_facts_not_asked_for_yet_say_nothing():
    assert obstacles([AGE, STRESS], {"age_years": 15}) == []


def test_a_fact_that_could_not_be_found_out_is_told():
    rule = Rule("sleep_quality", at_most=3)
    assert obstacles([rule], {"sleep_quality": None}) == [
        "sleep_quality: 3 or less expected, not known"
    ]


def test_the_reason_is_told_in_the_readers_language():
    with translation.override("zh-hans"):
        (sentence,) = obstacles([AGE], {"age_years": 40})
    assert sentence.startswith("年龄")


@pytest.mark.django_db
def test_somebody_not_eligible_has_obstacles_and_anybody_else_has_none():
    participant = make_participant("baseline_done")
    assert obstacles_of(participant) == []
    participant.age_years, participant.state = 40, ParticipantState.INELIGIBLE
    assert obstacles_of(participant) == ["Age in years: 12 to 18 expected, got 40"]
    assert not_ready(participant) == "Age in years: 12 to 18 expected, got 40"


@pytest.mark.django_db
def test_what_stands_in_the_way_of_allocation_depends_on_the_state():
    participant = make_participant("consented")
    assert not_ready(participant) == "baseline is not complete"
    participant.state = ParticipantState.WITHDRAWN
    assert not_ready(participant) == "Withdrawn"
