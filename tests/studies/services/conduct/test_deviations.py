from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from studies import clock
from studies.design.parts import VisitPlan
from studies.design.protocol import four_arms
from studies.exceptions import MoveRefused, ReasonMissing
from studies.models.deviation import Deviation, DeviationKind, DeviationState
from studies.models.sleep_window import SleepWindow
from studies.models.visit import Assessment
from studies.services.conduct.deviations import (
    assess_deviation,
    find_deviations,
    note_deviation,
)
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answer_visit, clinician_of, make_participant, make_study

pytestmark = pytest.mark.django_db
ALLOCATED_AT = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def _kinds() -> list[str]:
    return sorted(Deviation.objects.values_list("kind", flat=True))


def test_a_missed_visit_is_noted_once() -> None:
    with clock.at(ALLOCATED_AT):
        make_participant("allocated")
        assert find_deviations() == 0
    with clock.at(ALLOCATED_AT + timedelta(weeks=6)):
        keep_calendar()
        assert find_deviations() == 1
        assert find_deviations() == 0
    deviation = Deviation.objects.get()
    assert (deviation.kind, deviation.visit.week) == (DeviationKind.MISSED_VISIT, 4)
    assert deviation.noted_by is None


def test_late_answers_are_noted_for_each_questionnaire() -> None:
    with clock.at(ALLOCATED_AT):
        participant = make_participant("allocated")
    closes_at = Assessment.objects.filter(visit__week=4).first().visit.closes_at
    with clock.at(closes_at):
        keep_calendar()
        answer_visit(participant, week=4)
        find_deviations()
    assert _kinds() == [DeviationKind.OUT_OF_WINDOW] * 2


def test_two_questionnaires_about_a_month_close_together_are_noted_and_kept() -> None:
    visits = tuple(VisitPlan(week, ("cpss",), window_days=3) for week in (2, 26))
    plan = replace(four_arms(1), visits=(VisitPlan(0, ("psqi", "cpss")), *visits))
    with clock.at(ALLOCATED_AT):
        participant = make_participant("allocated", study=make_study(protocol=plan))
    with clock.at(ALLOCATED_AT + timedelta(weeks=2)):
        keep_calendar()
        answer_visit(participant, week=2)
        assert find_deviations() == 1
    assert _kinds() == [DeviationKind.SHORT_INTERVAL]
    with clock.at(ALLOCATED_AT + timedelta(weeks=26)):
        keep_calendar()
        answer_visit(participant, week=26)
        assert find_deviations() == 0


def test_a_sleep_window_that_waits_too_long_is_noted() -> None:
    with clock.at(ALLOCATED_AT):
        participant = make_participant("allocated")
        SleepWindow.objects.create(
            participant=participant,
            week=0,
            rule_id="x",
            rule_version="1",
            inputs={},
            decision="first",
            proposed_min=420,
            computed_at=clock.now(),
            rise_at="07:00",
            floor_min=420,
        )
        assert find_deviations() == 0
    with clock.at(ALLOCATED_AT + timedelta(days=3)):
        assert find_deviations() == 1
    assert _kinds() == [DeviationKind.LATE_TITRATION]


def test_a_person_notes_a_deviation_and_another_looks_into_it_once() -> None:
    participant = make_participant("consented")
    user = clinician_of(participant.study)
    with pytest.raises(ReasonMissing):
        note_deviation(participant=participant, words="", happened_at=clock.now(), user=user)
    deviation = note_deviation(
        participant=participant,
        words="Answered on a relative's phone",
        happened_at=clock.now() + timedelta(days=1),
        user=user,
    )
    assert deviation.happened_at <= clock.now()
    with pytest.raises(ReasonMissing):
        assess_deviation(deviation=deviation, impact="minor", measures=" ", user=user)
    done = assess_deviation(deviation=deviation, impact="minor", measures="Told again", user=user)
    assert (done.state, done.impact) == (DeviationState.ASSESSED, "minor")
    with pytest.raises(MoveRefused):
        assess_deviation(deviation=deviation, impact="none", measures="Again", user=user)
