"""Answer an instrument inside its window: begin, save each answer, submit; decide eligibility.

Every answer of a draft leaves an audit entry (`services/visits/answers.py`); the entry of a
submission has the SHA-256 of all answers, so that none can change afterwards without being noticed.
"""

import hashlib
import json
from collections.abc import Mapping

from django.db import transaction

from questionnaires.models import Response
from questionnaires.selectors import asked_and_declined, score_table, scores_and_flags
from questionnaires.services import SavedAnswer, start_response, submit_response
from studies import clock
from studies.design.eligibility import decide
from studies.exceptions import AssessmentClosed, DecliningNotAllowed, OutsideWindow
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import Assessment, AssessmentState
from studies.services.trail.audit import SYSTEM, Actor, participant_actor, record
from studies.services.visits.answers import keep_answer, keep_answers, keep_refusal
from studies.services.visits.scheduling import turn_page

# Where somebody stands whose eligibility was decided, and who is not allocated yet.
DECIDED = {ParticipantState.BASELINE_DONE, ParticipantState.INELIGIBLE}


@transaction.atomic
def begin_assessment(*, assessment: Assessment) -> Response:
    """Return the response of an assessment; begins it when it is open. Again: the same one."""
    assessment = turn_page(assessment)
    if assessment.state == AssessmentState.IN_PROGRESS:
        return assessment.response
    old = assessment.state
    if old != AssessmentState.LATE:
        _refuse_unless(assessment, AssessmentState.OPEN)
    participant = assessment.visit.participant
    response = start_response(
        instrument=assessment.instrument, language=participant.language, at=clock.now()
    )
    assessment.move_to(AssessmentState.IN_PROGRESS, response=response)
    record(
        actor=participant_actor(participant),
        action="begin_assessment",
        subject=assessment,
        old={"state": old},
        new={"state": assessment.state, "response": response.pk, "rule": response.rule_id},
    )
    return response


@transaction.atomic
def save_answer(
    *, assessment: Assessment, item_key: str, raw: object, **manner: object
) -> SavedAnswer:
    """Keep one answer of an assessment that was begun; the same again changes nothing.

    `manner` is what `keep_answer` takes of how it came.
    """
    assessment = _being_answered(assessment)
    return keep_answer(
        subject=assessment,
        participant=assessment.visit.participant,
        response=_draft(assessment),
        item_key=item_key,
        raw=raw,
        **manner,
    )


@transaction.atomic
def save_answers(
    *,
    assessment: Assessment,
    answers: Mapping[str, object],
    elapsed_ms: Mapping[str, int] | None = None,
) -> list[SavedAnswer]:
    """Keep answers of an assessment that come together; the trail has an entry for each."""
    assessment = _being_answered(assessment)
    return keep_answers(
        subject=assessment,
        participant=assessment.visit.participant,
        response=_draft(assessment),
        answers=answers,
        elapsed_ms=elapsed_ms,
    )


@transaction.atomic
def decline_answer(*, assessment: Assessment, item_key: str, **manner: object) -> SavedAnswer:
    """Keep that the participant does not want to answer an item, where the protocol allows it."""
    assessment = _being_answered(assessment)
    if not may_decline(assessment):
        raise DecliningNotAllowed(assessment.instrument, assessment.visit.week)
    return keep_refusal(
        subject=assessment,
        participant=assessment.visit.participant,
        response=_draft(assessment),
        item_key=item_key,
        **manner,
    )


def decide_again(participant: Participant) -> None:
    """Decide eligibility by a corrected baseline; whoever is allocated already stays so."""
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.state not in DECIDED:
        return
    verdict = decide(participant.study.plan.eligibility, baseline_facts(participant))
    was_eligible = participant.state == ParticipantState.BASELINE_DONE
    if verdict.is_eligible != was_eligible:
        _decide_eligibility(participant)


def answers_sha256(response: Response) -> str:
    """Return the SHA-256 of all answers that count, so that none can change unnoticed."""
    answers, refused = asked_and_declined(response)
    declined = {key: {"missing": "declined"} for key in refused}
    text = json.dumps(answers | declined, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def may_decline(assessment: Assessment) -> bool:
    """Return whether this assessment's items may be left unanswered by choice."""
    visit = assessment.visit
    return visit.participant.study.plan.may_decline(visit.week, assessment.instrument)


@transaction.atomic
def submit_assessment(*, assessment: Assessment) -> Assessment:
    """Hand in and score; the last one of baseline decides eligibility. Twice is once."""
    assessment = turn_page(assessment)
    if assessment.state == AssessmentState.SUBMITTED:
        return assessment
    _refuse_unless(assessment, AssessmentState.IN_PROGRESS)
    return hand_in(assessment, participant_actor(assessment.visit.participant))


@transaction.atomic(savepoint=False)
def hand_in(assessment: Assessment, actor: Actor) -> Assessment:
    """Hand in a locked assessment that was begun; `actor` is the participant, or who entered it."""
    response = submit_response(response=_draft(assessment), at=clock.now())
    assessment.move_to(AssessmentState.SUBMITTED)
    scores, flags = scores_and_flags(response.pk)
    record(
        actor=actor,
        action="submit_assessment",
        subject=assessment,
        old={"state": AssessmentState.IN_PROGRESS},
        new={
            "state": assessment.state,
            "answers_sha256": answers_sha256(response),
            "rule": response.rule_id,
            "scores": scores,
            "flags": flags,
        },
    )
    _conclude_visit(assessment)
    return assessment


def baseline_facts(participant: Participant) -> dict[str, float | None]:
    """Return what eligibility rules may ask: the age and every score of baseline."""
    done = Assessment.objects.filter(
        visit__participant=participant, visit__week=0, state=AssessmentState.SUBMITTED
    )
    instruments = dict(done.values_list("response_id", "instrument"))
    facts: dict[str, float | None] = {"age_years": participant.age_years}
    for response_id, scores in score_table(instruments).items():
        facts |= {f"{instruments[response_id]}_{name}": value for name, value in scores.items()}
    return facts


def _conclude_visit(assessment: Assessment) -> None:
    # The participant's row is locked before its assessments are read: of two instruments handed in
    # at once, the later one sees the earlier.
    visit = assessment.visit
    participant = Participant.objects.select_for_update().get(pk=visit.participant_id)
    if visit.assessments.exclude(state=AssessmentState.SUBMITTED).exists():
        return
    if visit.week == 0:
        _decide_eligibility(participant)
    # Their own last one: an amendment adds visits for people to come only.
    elif not participant.visits.filter(week__gt=visit.week).exists():
        _move(participant, ParticipantState.COMPLETED, "complete_participant", "")


def _decide_eligibility(participant: Participant) -> None:
    verdict = decide(participant.study.plan.eligibility, baseline_facts(participant))
    if verdict.is_eligible:
        _move(participant, ParticipantState.BASELINE_DONE, "find_eligible", "")
    else:
        reason = "; ".join(verdict.reasons)
        _move(participant, ParticipantState.INELIGIBLE, "find_not_eligible", reason)


def _move(participant: Participant, state: str, action: str, reason: str) -> None:
    old = participant.state
    participant.move_to(state, state_reason=reason[:200])
    record(
        actor=SYSTEM,
        action=action,
        subject=participant,
        old={"state": old},
        new={"state": state},
        reason=reason[:500],
    )


def _being_answered(assessment: Assessment) -> Assessment:
    assessment = turn_page(assessment)
    _refuse_unless(assessment, AssessmentState.IN_PROGRESS)
    return assessment


def _draft(assessment: Assessment) -> Response:
    # Its key is enough: the row is read where it is locked.
    return Response(pk=assessment.response_id)


def _refuse_unless(assessment: Assessment, state: str) -> None:
    if assessment.state == state:
        return
    if assessment.state == AssessmentState.SCHEDULED:
        raise OutsideWindow(assessment.visit.opens_at)
    raise AssessmentClosed(assessment.state)
