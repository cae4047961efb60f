import json
from datetime import timedelta
from uuid import uuid4

import pytest

from studies import clock
from studies.exceptions import DecliningNotAllowed
from studies.models.audit import AuditEntry
from studies.models.visit import Assessment
from studies.services.trail.audit import verify_chain
from studies.services.visits.assessment import (
    begin_assessment,
    decline_answer,
    save_answer,
    save_answers,
)
from tests.factories import make_participant

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment() -> Assessment:
    participant = make_participant("consented")
    chosen = Assessment.objects.get(
        visit__participant=participant, visit__week=0, instrument="psqi"
    )
    chosen.response = begin_assessment(assessment=chosen)
    return chosen


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="save_answer").order_by("number"))


def test_every_answer_and_every_change_of_it_is_in_the_audit_trail(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="bed", raw="23:30")
    save_answer(assessment=assessment, item_key="bed", raw="23:45")
    first, second = entries()
    assert (first.old, first.new) == (None, {"item": "bed", "raw": "23:30", "language": "en"})
    assert second.old == {"item": "bed", "raw": "23:30"}
    assert second.new == {"item": "bed", "raw": "23:45", "language": "en"}
    assert second.actor == assessment.visit.participant.code


def test_an_answer_with_its_entry_asks_the_database_seven_times(
    assessment: Assessment, django_assert_num_queries
) -> None:
    savepoints = 2 * 2  # Of the study's step, which would be a transaction, and of the answer.
    with django_assert_num_queries(7 + savepoints):
        save_answer(assessment=assessment, item_key="d_a", raw="1")


def test_answers_that_come_together_leave_an_entry_each(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="bed", raw="23:30")
    given = {"bed": "23:30", "d_a": "2", "d_j_reason": "My brother Tom snores"}
    save_answers(assessment=assessment, answers=given)
    bed, snores, words = entries()
    assert (bed.new["item"], snores.old) == ("bed", None)
    assert snores.new == {"item": "d_a", "raw": "2", "language": "en"}
    assert words.new["item"] == "d_j_reason"
    assert "Tom" not in json.dumps(words.new)
    assert snores.subject_id == words.subject_id == str(assessment.pk)
    assert verify_chain(assessment.visit.participant.study.code) == []


def test_the_same_answer_again_leaves_no_entry(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="bed", raw="23:30")
    save_answer(assessment=assessment, item_key="bed", raw="23:30")
    assert len(entries()) == 1


def test_words_typed_freely_never_enter_the_trail(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="d_j_reason", raw="My brother Tom snores")
    (entry,) = entries()
    assert entry.new["item"] == "d_j_reason"
    assert len(entry.new["sha256"]) == 64
    assert "Tom" not in json.dumps([entry.old, entry.new])


def test_declining_an_answer_is_in_the_trail_as_what_it_is(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="d_a", raw="2")
    decline_answer(assessment=assessment, item_key="d_a")
    decline_answer(assessment=assessment, item_key="d_a")
    save_answer(assessment=assessment, item_key="d_a", raw="1")
    (declined,) = AuditEntry.objects.filter(action="decline_answer")
    assert declined.old == {"item": "d_a", "raw": "2"}
    assert declined.new == {"item": "d_a", "declined": True, "language": "en"}
    assert entries()[-1].old == {"item": "d_a", "declined": True}


def test_the_trail_says_in_which_language_an_item_was_read(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="d_a", raw="2", language="zh-hans")
    (entry,) = entries()
    assert entry.new["language"] == "zh-hans"


def test_what_decides_eligibility_cannot_be_declined(assessment: Assessment) -> None:
    stress = assessment.visit.assessments.get(instrument="cpss")
    begin_assessment(assessment=stress)
    with pytest.raises(DecliningNotAllowed, match="an answer to cpss in week 0 was expected"):
        decline_answer(assessment=stress, item_key="item_1")
    assert not AuditEntry.objects.filter(action="decline_answer").exists()


def test_an_answer_that_waited_on_a_phone_says_so_and_counts_from_when_it_was_given(
    assessment: Assessment,
) -> None:
    with clock.at(clock.now() + timedelta(hours=2)):
        save_answer(
            assessment=assessment, item_key="d_a", raw="2", key=uuid4(), waited_ms=3_600_000
        )
        kept = assessment.response.answers.get()
        assert clock.now() - kept.answered_at == timedelta(hours=1)
    (entry,) = entries()
    assert entry.new["waited_s"] == 3600


def test_no_phone_dates_an_answer_before_its_questionnaire(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="d_a", raw="2", key=uuid4(), waited_ms=10**15)
    assert assessment.response.answers.get().answered_at == assessment.response.started_at


def test_what_came_too_late_to_count_leaves_a_trace(assessment: Assessment) -> None:
    with clock.at(clock.now() + timedelta(hours=2)):
        save_answer(assessment=assessment, item_key="d_a", raw="1")
        save_answer(
            assessment=assessment, item_key="d_a", raw="2", key=uuid4(), waited_ms=3_600_000
        )
    late = AuditEntry.objects.get(action="leave_out_late_answer")
    assert late.old == {"item": "d_a", "raw": "1"}
    assert late.new == {"item": "d_a", "raw": "2"}
    assert len(entries()) == 1
