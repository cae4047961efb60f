import json
from datetime import timedelta

import pytest

from questionnaires.exceptions import NothingToCorrect, RevisionOutdated
from questionnaires.selectors import revisions_of
from studies import clock
from studies.exceptions import CorrectionNotAllowed, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import Assessment
from studies.selectors.outcomes import outcomes_of
from studies.selectors.participants import timeline
from studies.services.closing.locks import lock_database
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM, staff, verify_chain
from studies.services.visits.assessment import begin_assessment
from studies.services.visits.correction import correct_assessment
from tests.factories import answer_visit, clinician_of, make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("baseline_done", study=make_study(protocol=short_plan()))


def sheet_of(participant: Participant, week: int = 0) -> Assessment:
    return Assessment.objects.get(visit__participant=participant, visit__week=week)


def correct(assessment: Assessment, item_key: str = "item_1", raw: str = "0", **changes):
    stated = {
        "reason": "Asked again on the telephone",
        "seen_revision": assessment.response.revision,
        "actor": staff(clinician_of(assessment.visit.participant.study)),
    }
    return correct_assessment(
        assessment=assessment, item_key=item_key, raw=raw, **{**stated, **changes}
    )


def test_the_newest_revision_is_what_the_assessment_measures(participant: Participant) -> None:
    before = sheet_of(participant).response
    revision = correct(sheet_of(participant))
    assert sheet_of(participant).response == revision
    assert revisions_of(revision) == [before, revision]
    assert revision.author == clinician_of(participant.study).username


def test_outcomes_use_the_newest_revision() -> None:
    participant = make_participant("week4", study=make_study(protocol=short_plan()))

    def total() -> float:
        return outcomes_of(participant.study).scores("cpss", "total", 4)[0]

    before = total()
    correct(sheet_of(participant, week=4))
    assert total() == before - 2


def test_the_trail_says_what_stood_there_who_changed_it_and_why(participant: Participant) -> None:
    correct(sheet_of(participant))
    entry = AuditEntry.objects.get(action="correct_answer")
    assert entry.old == {"revision": 1, "given": {"item": "item_1", "raw": "3"}}
    assert entry.new["revision"] == 2
    assert entry.new["given"] == {"item": "item_1", "raw": "0"}
    assert entry.new["scores"]["total"] == 39
    assert entry.reason == "Asked again on the telephone"
    assert entry.actor == clinician_of(participant.study).username
    assert verify_chain(participant.study.code) == []
    assert "Answer corrected" in [row.what for row in timeline(participant)]


def test_words_typed_freely_stay_out_of_the_trail() -> None:
    participant = make_participant("baseline_done")
    psqi = Assessment.objects.get(visit__participant=participant, instrument="psqi", visit__week=0)
    correct(psqi, "d_j", "1")
    psqi.refresh_from_db()
    correct(psqi, "d_j_reason", "My brother Tom snores")
    entry = AuditEntry.objects.filter(action="correct_answer").last()
    assert "Tom" not in json.dumps([entry.old, entry.new])


def test_a_correction_without_a_reason_is_refused(participant: Participant) -> None:
    with pytest.raises(ReasonMissing):
        correct(sheet_of(participant), reason="  ")


def test_two_people_who_correct_at_once_do_not_overwrite_each_other(
    participant: Participant,
) -> None:
    seen = sheet_of(participant)
    correct(seen)
    with pytest.raises(RevisionOutdated):
        correct(seen, "item_2")
    assert sheet_of(participant).response.revision == 2


def test_the_same_answer_again_leaves_no_entry(participant: Participant) -> None:
    with pytest.raises(NothingToCorrect):
        correct(sheet_of(participant), raw="3")
    assert not AuditEntry.objects.filter(action="correct_answer").exists()


def test_a_corrected_baseline_decides_eligibility_again(participant: Participant) -> None:
    def state() -> str:
        participant.refresh_from_db()
        return participant.state

    items = [f"item_{number}" for number in (1, 2, 3, 8, 11, 12)]
    for item_key in items:
        correct(sheet_of(participant), item_key)
    assert state() == ParticipantState.INELIGIBLE
    correct(sheet_of(participant), "item_1", "3")
    assert state() == ParticipantState.BASELINE_DONE
    assert AuditEntry.objects.filter(action="find_eligible").count() == 2


def test_whoever_is_allocated_stays_so_whatever_is_corrected() -> None:
    participant = make_participant("allocated", study=make_study(protocol=short_plan()))
    for number in (1, 2, 3, 8, 11, 12):
        correct(sheet_of(participant), f"item_{number}")
    participant.refresh_from_db()
    assert participant.state == ParticipantState.ALLOCATED


def test_answers_that_were_not_handed_in_are_not_corrected() -> None:
    participant = make_participant("consented", study=make_study(protocol=short_plan()))
    begin_assessment(assessment=sheet_of(participant))
    with pytest.raises(CorrectionNotAllowed, match="an assessment that is in_progress"):
        correct(sheet_of(participant))


def test_nothing_is_corrected_for_somebody_who_withdrew(participant: Participant) -> None:
    withdraw_participant(participant=participant, scope="contact", reason="", actor=SYSTEM)
    with pytest.raises(CorrectionNotAllowed, match="somebody who withdrew"):
        correct(sheet_of(participant))


def test_corrections_end_before_the_study_is_unblinded() -> None:
    participant = make_participant("allocated", study=make_study(protocol=short_plan()))
    with clock.at(clock.now() + timedelta(weeks=4)):
        answer_visit(participant, week=4)
    close_study(study=participant.study, actor=SYSTEM, reason="test")
    correct(sheet_of(participant, week=4))
    lock_database(study=participant.study, actor=SYSTEM)
    unblind_study(study=participant.study, actor=SYSTEM, reason="test")
    with pytest.raises(CorrectionNotAllowed, match="a study that is unblinded"):
        correct(sheet_of(participant, week=4), "item_2")
