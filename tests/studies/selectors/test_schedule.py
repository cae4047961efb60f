from datetime import timedelta

import pytest

from studies import clock
from studies.selectors.schedule import open_assessment, today_of
from studies.services.visits.assessment import submit_assessment
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answer, make_participant

pytestmark = pytest.mark.django_db


def test_after_consent_both_instruments_wait() -> None:
    today = today_of(make_participant("consented"))
    assert [a.instrument for a in today.assessments] == ["psqi", "cpss"]
    assert (today.due[0].n_done, today.due[0].n_planned, today.upcoming) == (0, 2, None)


def test_what_was_handed_in_waits_no_more() -> None:
    participant = make_participant("consented")
    first = today_of(participant).assessments[0]
    answer(first)
    submit_assessment(assessment=first)
    today = today_of(participant)
    assert [a.instrument for a in today.assessments] == ["cpss"]
    assert today.due[0].n_done == 1


def test_between_visits_the_next_one_is_announced() -> None:
    participant = make_participant("allocated")
    today = today_of(participant)
    assert (today.due, today.upcoming.week) == ((), 4)
    with clock.at(clock.now() + timedelta(weeks=4)):
        keep_calendar(participant=participant)
        today = today_of(participant)
    assert (today.due[0].visit.week, today.upcoming.week) == (4, 8)
    assert today.due[0].closes_at == today.due[0].visit.closes_at


def test_somebody_elses_assessment_does_not_exist() -> None:
    mine, other = make_participant("consented"), make_participant("consented")
    assessment = today_of(mine).assessments[0]
    assert open_assessment(mine, assessment.pk) == assessment
    assert open_assessment(other, assessment.pk) is None
