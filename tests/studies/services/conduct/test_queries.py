import pytest

from studies.exceptions import MoveRefused, QueryRefused, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.query import DataQuery, QueryState
from studies.models.study import Role
from studies.models.visit import Assessment
from studies.services.conduct.queries import answer_query, ask_about, ask_again, close_query
from tests.factories import clinician_of, make_participant, make_staff

pytestmark = pytest.mark.django_db


def _sheet() -> Assessment:
    make_participant("baseline_done")
    return Assessment.objects.get(instrument="cpss", visit__week=0)


def test_a_query_is_asked_answered_asked_again_and_closed() -> None:
    sheet = _sheet()
    study = sheet.visit.participant.study
    monitor, clinician = make_staff(Role.MONITOR, study=study), clinician_of(study)
    query = ask_about(assessment=sheet, item_key="item_3", question="Really?", user=monitor)
    answer_query(query=query, words="As on paper", user=clinician)
    ask_again(query=query, words="Which paper?", user=monitor)
    answer_query(query=query, words="The diary page", user=clinician)
    done = close_query(query=query, words="Settled", user=monitor)
    assert done.state == QueryState.CLOSED
    assert [note.state for note in done.notes.all()] == ["answered", "open", "answered", "closed"]
    with pytest.raises(MoveRefused):
        ask_again(query=query, words="Once more", user=monitor)
    entries = AuditEntry.objects.filter(subject_type="studies.dataquery")
    assert entries.count() == 5
    assert "paper" not in str(list(entries.values_list("new")))


def test_one_open_query_an_answer_and_only_about_answers_that_were_handed_in() -> None:
    sheet = _sheet()
    user = clinician_of(sheet.visit.participant.study)
    query = ask_about(assessment=sheet, item_key="item_3", question="Really?", user=user)
    with pytest.raises(QueryRefused, match="without an open query"):
        ask_about(assessment=sheet, item_key="item_3", question="Really?", user=user)
    with pytest.raises(QueryRefused, match="one of its items"):
        ask_about(assessment=sheet, item_key="item_99", question="Really?", user=user)
    with pytest.raises(ReasonMissing):
        ask_about(assessment=sheet, item_key="item_4", question=" ", user=user)
    with pytest.raises(ReasonMissing):
        answer_query(query=query, words="", user=user)
    make_participant("consented")
    unbegun = Assessment.objects.filter(response=None).first()
    with pytest.raises(QueryRefused, match="handed in"):
        ask_about(assessment=unbegun, item_key="item_3", question="Really?", user=user)
    assert DataQuery.objects.count() == 1
