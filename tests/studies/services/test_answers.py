import json

import pytest

from studies.models.audit import AuditEntry
from studies.models.visit import Assessment
from studies.services.assessment import begin_assessment, save_answer
from tests.factories import make_participant

pytestmark = pytest.mark.django_db


@pytest.fixture
def assessment() -> Assessment:
    participant = make_participant("consented")
    chosen = Assessment.objects.get(
        visit__participant=participant, visit__week=0, instrument="psqi"
    )
    begin_assessment(assessment=chosen)
    return chosen


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="save_answer").order_by("number"))


def test_every_answer_and_every_change_of_it_is_in_the_audit_trail(assessment: Assessment) -> None:
    save_answer(assessment=assessment, item_key="bed", raw="23:30")
    save_answer(assessment=assessment, item_key="bed", raw="23:45")
    first, second = entries()
    assert (first.old, first.new) == (None, {"item": "bed", "raw": "23:30"})
    assert second.old == {"item": "bed", "raw": "23:30"}
    assert second.new == {"item": "bed", "raw": "23:45"}
    assert second.actor == assessment.visit.participant.code


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
