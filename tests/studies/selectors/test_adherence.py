from datetime import date, timedelta

import pytest

from questionnaires.services import start_response
from studies import clock
from studies.design.windows import local_day
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.selectors.adherence import WeekCell, adherence_of, recruitment_of
from tests.factories import invite, make_participant, make_study

pytestmark = pytest.mark.django_db


def _write(participant: Participant, morning_on: date, *, is_sent: bool = True) -> None:
    response = start_response(instrument="morning_diary", language="en", at=clock.now())
    DiaryEntry.objects.create(participant=participant, morning_on=morning_on, response=response)
    if is_sent:
        type(response).objects.filter(pk=response.pk).update(
            state="submitted", submitted_at=clock.now()
        )


def test_mornings_are_counted_by_week_since_allocation_and_drafts_are_not() -> None:
    participant = make_participant("allocated")
    began_on = local_day(clock.now(), participant.zone)
    for day in (1, 2, 3, 8):
        _write(participant, began_on + timedelta(days=day))
    _write(participant, began_on + timedelta(days=9), is_sent=False)
    with clock.at(clock.now() + timedelta(days=9)):
        (row,) = adherence_of([participant], 8)
    assert row.code == participant.code
    assert row.cells[:3] == (WeekCell(3, 7), WeekCell(1, 2), WeekCell(0, 0))
    assert row.percent == 44


@pytest.mark.parametrize(("written", "step"), [(0, 0), (1, 1), (2, 1), (3, 2), (5, 3), (7, 3)])
def test_a_week_has_four_steps(written: int, step: int) -> None:
    assert WeekCell(written, 7).step == step


def test_who_is_not_allocated_has_no_row() -> None:
    assert adherence_of([make_participant("consented")], 8) == []


def test_recruitment_is_counted_against_the_plan_with_its_rate() -> None:
    study = make_study()
    make_participant("allocated", study=study)
    make_participant("consented", study=study)
    invite(study)
    with clock.at(clock.now() + timedelta(weeks=2)):
        report = recruitment_of(study)
        assert (report.n_planned, report.n_allocated, report.a_week) == (200, 1, 0.5)
        assert report.done_on == clock.today(study.zone) + timedelta(weeks=398)
    (site,) = report.sites
    assert (site.n_invited, site.n_consented, site.n_allocated) == (3, 2, 1)
    assert sum(invited for _month, invited, _allocated in report.months) == 3


def test_a_study_without_anybody_has_no_rate() -> None:
    report = recruitment_of(make_study())
    assert (report.n_allocated, report.a_week, report.done_on) == (0, 0, None)
