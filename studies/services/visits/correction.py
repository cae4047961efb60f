"""Correct an answer that a participant handed in: by staff, with a reason, as a new revision."""

from django.db import transaction

from questionnaires.exceptions import RevisionOutdated
from questionnaires.models import Response
from questionnaires.selectors import scores_and_flags
from questionnaires.services import correct_answer
from studies import clock
from studies.exceptions import CorrectionNotAllowed, ReasonMissing
from studies.models.participant import ParticipantState
from studies.models.study import StudyState
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.locks import lock_on
from studies.services.trail.audit import Actor, record
from studies.services.visits.answers import told
from studies.services.visits.assessment import answers_sha256, decide_again

# Whoever knows the arms must not touch the answers: corrections end with the database lock.
CORRECTABLE = {StudyState.OPEN, StudyState.CLOSED}


@transaction.atomic
def correct_assessment(
    *,
    assessment: Assessment,
    item_key: str,
    raw: object,
    reason: str,
    seen_revision: int,
    actor: Actor,
) -> Response:
    """Answer one item otherwise, and score again; the revision before stays visible and sealed.

    `seen_revision` is the one that the corrector looked at. At baseline, and before allocation,
    eligibility is decided again.
    """
    assessment = (
        Assessment.objects.select_for_update(of=("self",))
        .select_related("visit__participant__study", "response")
        .get(pk=assessment.pk)
    )
    if obstacle := obstacle_to_correcting(assessment, item_key):
        raise CorrectionNotAllowed(obstacle)
    if not reason.strip():
        raise ReasonMissing("correcting an answer")
    before = assessment.response
    if before.revision != seen_revision:
        raise RevisionOutdated(seen_revision, before.revision)
    correction = correct_answer(
        response=before,
        item_key=item_key,
        raw=raw,
        author=actor.name,
        reason=reason.strip(),
        at=clock.now(),
    )
    assessment.response = now = correction.response
    assessment.save(update_fields=["response"])
    item = now.definition.item(item_key)
    scores, flags = scores_and_flags(now.pk)
    record(
        actor=actor,
        action="correct_answer",
        subject=assessment,
        old={"revision": before.revision, "given": told(item, correction.before)},
        new={
            "revision": now.revision,
            "given": told(item, correction.after),
            "response": now.pk,
            "answers_sha256": answers_sha256(now),
            "scores": scores,
            "flags": flags,
        },
        reason=reason.strip(),
    )
    if assessment.visit.week == 0:
        decide_again(assessment.visit.participant)
    return now


def obstacle_to_correcting(assessment: Assessment, item_key: str = "") -> str:
    """Return what stands in the way of a correction, of one item or of any; empty for nothing."""
    participant = assessment.visit.participant
    if assessment.state != AssessmentState.SUBMITTED:
        return f"an assessment that is {assessment.state}"
    if participant.state == ParticipantState.WITHDRAWN:
        return "answers of somebody who withdrew"
    if participant.study.state not in CORRECTABLE:
        return f"a study that is {participant.study.state}"
    if lock := lock_on(assessment, item_key):
        return f"what is locked ({lock.level})"
    return ""
