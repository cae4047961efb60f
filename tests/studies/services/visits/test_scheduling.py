from datetime import UTC, datetime, timedelta

import pytest

from studies import clock
from studies.models.visit import Assessment, AssessmentState
from studies.services.visits.assessment import begin_assessment, save_answer, submit_assessment
from studies.services.visits.scheduling import Turned, keep_calendar
from tests.factories import answer, answers, make_participant, make_study

pytestmark = pytest.mark.django_db
ALLOCATED_AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def _states(week: int) -> set[str]:
    return set(Assessment.objects.filter(visit__week=week).values_list("state", flat=True))


@pytest.fixture
def allocated() -> None:
    with clock.at(ALLOCATED_AT):
        make_participant("allocated", study=make_study(zone="Europe/Berlin"))


@pytest.mark.usefixtures("allocated")
def test_windows_are_local_days_around_the_day_of_allocation() -> None:
    visit = Assessment.objects.filter(visit__week=4).first().visit
    assert str(visit.target_on) == "2026-03-30"
    # The clocks go forward on 29 March, inside the window.
    assert visit.opens_at == datetime(2026, 3, 24, 23, 0, tzinfo=UTC)
    assert visit.closes_at == datetime(2026, 4, 4, 22, 0, tzinfo=UTC)


@pytest.mark.usefixtures("allocated")
def test_the_calendar_opens_and_misses_by_the_clock_and_only_once() -> None:
    visit = Assessment.objects.filter(visit__week=4).first().visit
    for moment, turned, states in (
        (visit.opens_at - timedelta(seconds=1), Turned(0, 0), {AssessmentState.SCHEDULED}),
        (visit.opens_at, Turned(2, 0), {AssessmentState.OPEN}),
        (visit.closes_at - timedelta(seconds=1), Turned(0, 0), {AssessmentState.OPEN}),
        (visit.closes_at, Turned(0, 0), {AssessmentState.LATE}),
        (visit.late_until - timedelta(seconds=1), Turned(0, 0), {AssessmentState.LATE}),
        (visit.late_until, Turned(0, 2), {AssessmentState.MISSED}),
    ):
        with clock.at(moment):
            assert keep_calendar() == turned
            assert keep_calendar() == Turned(0, 0)
            assert _states(4) == states


@pytest.mark.usefixtures("allocated")
def test_a_window_that_nobody_looked_at_is_missed_outright() -> None:
    with clock.at(ALLOCATED_AT + timedelta(weeks=20)):
        assert keep_calendar() == Turned(0, 4)
    assert _states(8) == {AssessmentState.MISSED}


@pytest.mark.usefixtures("allocated")
def test_a_form_does_not_close_under_somebodys_fingers() -> None:
    assessment = Assessment.objects.filter(visit__week=4).first()
    closes_at = assessment.visit.ends_at
    with clock.at(closes_at - timedelta(minutes=10)):
        keep_calendar()
        answer(assessment)
    with clock.at(closes_at + timedelta(minutes=15)):
        keep_calendar()
        submit_assessment(assessment=assessment)
    assessment.refresh_from_db()
    assert assessment.state == AssessmentState.SUBMITTED
    assert _states(4) == {AssessmentState.SUBMITTED, AssessmentState.MISSED}


@pytest.mark.usefixtures("allocated")
def test_a_form_left_lying_is_missed() -> None:
    assessment = Assessment.objects.filter(visit__week=4).first()
    key, raw = next(iter(answers(assessment.instrument).items()))
    with clock.at(assessment.visit.opens_at):
        begin_assessment(assessment=assessment)
        save_answer(assessment=assessment, item_key=key, raw=raw)
    with clock.at(assessment.visit.closes_at + timedelta(minutes=1)):
        keep_calendar()
    assert _states(4) == {AssessmentState.IN_PROGRESS, AssessmentState.LATE}
    with clock.at(assessment.visit.ends_at + timedelta(minutes=1)):
        assert keep_calendar() == Turned(0, 2)


@pytest.mark.usefixtures("allocated")
def test_a_late_visit_is_answered_and_kept() -> None:
    assessment = Assessment.objects.filter(visit__week=4).first()
    with clock.at(assessment.visit.closes_at + timedelta(days=3)):
        keep_calendar()
        answer(assessment)
        submit_assessment(assessment=assessment)
    assessment.refresh_from_db()
    assert assessment.state == AssessmentState.SUBMITTED
    assert assessment.response.submitted_at > assessment.visit.closes_at


def test_baseline_has_no_end() -> None:
    make_participant("consented")
    with clock.at(clock.now() + timedelta(days=400)):
        assert keep_calendar() == Turned(0, 0)
    assert _states(0) == {AssessmentState.OPEN}


def test_a_participants_page_keeps_their_own_calendar_only() -> None:
    with clock.at(ALLOCATED_AT):
        study = make_study()
        one, _other = (make_participant("allocated", study=study) for _ in range(2))
    with clock.at(ALLOCATED_AT + timedelta(weeks=4)):
        assert keep_calendar(participant=one) == Turned(2, 0)
