from datetime import timedelta

import pytest

from studies import clock
from studies.models.participant import Participant
from studies.models.study import Study
from studies.services.allocation import arm_of
from studies.services.closing.locks import lock_database
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.results.analysis import report
from studies.services.trail.audit import SYSTEM
from tests.factories import answer_visit, make_participant, make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[Participant]:
    study = make_study()
    with clock.at(clock.now() - timedelta(weeks=4)):
        people = [make_participant("allocated", study=study) for _ in range(8)]
    for participant in people[:-1]:
        answer_visit(participant, week=4, level=2)
    return people


def _unblinded(study: Study) -> Study:
    study = close_study(study=study, actor=SYSTEM, reason="test")
    lock_database(study=study, actor=SYSTEM)
    return unblind_study(study=study, actor=SYSTEM, reason="test")


def test_a_blinded_report_is_pooled(people: list[Participant]) -> None:
    found = report(people[0].study)
    assert (found.arms, found.is_blinded, found.n_analysed) == (("all",), True, 8)
    assert (found.instruments, found.weeks) == (("psqi", "cpss"), (0, 4, 8))
    cell = found.cell("cpss", 4, "all")
    assert (cell.description.n, cell.description.n_missing, cell.description.mean) == (7, 1, 28.0)
    assert (cell.change.value, cell.change.n) == (14.0, 7)
    assert cell.rate_of_means.value == pytest.approx(100 / 3)
    assert cell.rate_individual.mean.value == pytest.approx(100 / 3)
    assert (cell.responders.value, cell.responders.n) == (0.0, 7)


def test_baseline_has_no_change_and_a_week_to_come_says_that_nobody_is_there(
    people: list[Participant],
) -> None:
    found = report(people[0].study)
    assert found.cell("psqi", 0, "all").change is None
    to_come = found.cell("psqi", 8, "all")
    assert not any(estimate.is_estimable for estimate in to_come.estimates)
    assert all(estimate.warnings for estimate in to_come.estimates)


def test_an_unblinded_report_has_a_column_for_each_arm(people: list[Participant]) -> None:
    arms = [arm_of(participant).code for participant in people]
    study = _unblinded(people[0].study)
    found = report(study)
    assert found.arms == ("CBT", "LSTM-ACM", "MCMG", "GAMC")
    baseline = {arm: found.cell("cpss", 0, arm).description.n for arm in found.arms}
    assert baseline == {arm: arms.count(arm) for arm in found.arms}
    missed = arm_of(people[-1]).code
    cell = found.cell("cpss", 4, missed).description
    assert (cell.n, cell.n_missing) == (arms.count(missed) - 1, 1)


def test_who_took_the_data_back_is_not_analysed(people: list[Participant]) -> None:
    withdraw_participant(participant=people[0], scope="data", reason="", actor=SYSTEM)
    assert report(people[0].study).n_analysed == 7


def test_who_was_never_allocated_is_not_analysed(people: list[Participant]) -> None:
    make_participant("baseline_done", study=people[0].study)
    assert report(people[0].study).n_analysed == 8


def test_an_empty_study_gives_a_report_without_numbers() -> None:
    found = report(make_study())
    assert found.n_analysed == 0
    assert not any(e.is_estimable for cell in found.cells for e in cell.estimates)
