import pytest

from questionnaires.exceptions import IncompleteResponse
from questionnaires.models import Answer, Response, Score
from studies.exceptions import AssessmentClosed, OutsideWindow
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import Assessment, AssessmentState
from studies.services.visits.assessment import (
    baseline_facts,
    begin_assessment,
    save_answer,
    submit_assessment,
)
from tests.factories import answer, answer_visit, answers, make_participant

pytestmark = pytest.mark.django_db


def _assessment(participant: Participant, week: int, instrument: str) -> Assessment:
    return Assessment.objects.get(
        visit__participant=participant, visit__week=week, instrument=instrument
    )


def test_beginning_twice_gives_one_response() -> None:
    assessment = _assessment(make_participant("consented"), 0, "psqi")
    first = begin_assessment(assessment=assessment)
    assert begin_assessment(assessment=assessment) == first
    assert Response.objects.count() == 1


def test_answers_are_kept_one_by_one_and_found_on_another_device() -> None:
    assessment = _assessment(make_participant("consented"), 0, "psqi")
    begin_assessment(assessment=assessment)
    save_answer(assessment=assessment, item_key="bed", raw="23:30", elapsed_ms=2500)
    save_answer(assessment=assessment, item_key="bed", raw="23:45")
    again = Assessment.objects.get(pk=assessment.pk)
    assert begin_assessment(assessment=again).answers.get().value == "23:45"


def test_submitting_twice_is_once() -> None:
    assessment = _assessment(make_participant("consented"), 0, "psqi")
    answer(assessment)
    first = submit_assessment(assessment=assessment)
    n_scores = Score.objects.count()
    assert submit_assessment(assessment=assessment).response == first.response
    assert Score.objects.count() == n_scores
    assert AuditEntry.objects.filter(action="submit_assessment").count() == 1


def test_an_incomplete_form_is_not_taken_and_nothing_is_lost() -> None:
    assessment = _assessment(make_participant("consented"), 0, "cpss")
    begin_assessment(assessment=assessment)
    save_answer(assessment=assessment, item_key="item_1", raw="3")
    with pytest.raises(IncompleteResponse):
        submit_assessment(assessment=assessment)
    assessment.refresh_from_db()
    assert assessment.state == AssessmentState.IN_PROGRESS
    assert Answer.objects.count() == 1


def test_a_submitted_form_takes_no_more_answers() -> None:
    assessment = _assessment(make_participant("baseline_done"), 0, "psqi")
    with pytest.raises(AssessmentClosed, match="submitted"):
        save_answer(assessment=assessment, item_key="bed", raw="22:00")


def test_a_visit_to_come_says_when() -> None:
    assessment = _assessment(make_participant("allocated"), 4, "psqi")
    for step in (
        lambda: begin_assessment(assessment=assessment),
        lambda: save_answer(assessment=assessment, item_key="bed", raw="22:00"),
        lambda: submit_assessment(assessment=assessment),
    ):
        with pytest.raises(OutsideWindow) as refusal:
            step()
        assert refusal.value.opens_at == assessment.visit.opens_at


def test_an_answer_before_the_beginning_is_refused() -> None:
    assessment = _assessment(make_participant("consented"), 0, "psqi")
    with pytest.raises(AssessmentClosed, match="open"):
        save_answer(assessment=assessment, item_key="bed", raw="22:00")


def test_the_last_baseline_form_decides_eligibility() -> None:
    participant = make_participant("consented")
    answer(_assessment(participant, 0, "psqi"))
    submit_assessment(assessment=_assessment(participant, 0, "psqi"))
    participant.refresh_from_db()
    assert participant.state == ParticipantState.CONSENTED
    answer(_assessment(participant, 0, "cpss"))
    submit_assessment(assessment=_assessment(participant, 0, "cpss"))
    participant.refresh_from_db()
    assert participant.state == ParticipantState.BASELINE_DONE
    facts = baseline_facts(participant)
    assert (facts["age_years"], facts["cpss_total"]) == (15, 42.0)


def test_too_little_stress_is_not_eligible_and_says_why() -> None:
    participant = make_participant("consented")
    answer_visit(participant, week=0, level=1)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.INELIGIBLE
    assert participant.state_reason == "cpss_total 26 or more expected, got 14"


def test_week_eight_completes_a_participant() -> None:
    participant = make_participant("week8")
    assert participant.state == ParticipantState.COMPLETED
    assert make_participant("week4").state == ParticipantState.ALLOCATED


def test_the_trail_holds_the_answers_as_a_hash() -> None:
    make_participant("baseline_done")
    entry = AuditEntry.objects.filter(action="submit_assessment").first()
    assert len(entry.new["answers_sha256"]) == 64
    assert entry.new["scores"]["total"] is not None
    assert answers("psqi")["bed"] not in str(entry.new)
