"""Each attempt to enter a study: decided by the protocol's rules, kept with its reasons.

What a protocol asks before consent is kept as far as the verdict needs it: reasons, scores and
flags, not the answers one by one. Nothing of it is ever a baseline.
"""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.instruments.instrument import Scores
from questionnaires.instruments.reading import read_answer
from studies import clock
from studies.design.eligibility import decide_known
from studies.design.parts import AGE
from studies.design.screening import ANSWERS, CPSS, ScreeningPlan
from studies.exceptions import ScreeningRefused
from studies.models.participant import Participant, ParticipantState, Screening
from studies.models.study import Site, Study, StudyState
from studies.services.entry.identity import contact_indexes
from studies.services.trail.audit import Actor, record


def screen(*, study: Study, site: Site, contact: str, age_years: int, actor: Actor) -> Screening:
    """Return the attempt, kept with its verdict; one with a contact seen before is flagged.

    Brothers and sisters may share a contact: a repeat is told, not refused.
    """
    indexes = contact_indexes(contact)
    earlier = Screening.objects.filter(study=study, blind_index__in=indexes)
    verdict = decide_known(study.plan.eligibility, {AGE: age_years})
    screening = Screening.objects.create(
        study=study,
        site=site,
        screened_at=clock.now(),
        age_years=age_years,
        reasons=list(verdict.reasons),
        repeats=earlier.count(),
        refused_before=any(not before.is_eligible for before in earlier),
        blind_index=indexes[0],
    )
    record(
        actor=actor,
        action="screen",
        subject=screening,
        new={
            "reasons": screening.reasons,
            "repeats": screening.repeats,
            "refused_before": screening.refused_before,
        },
    )
    return screening


def screening_waits(participant: Participant) -> bool:
    """Return whether screening has still to be answered before consent can be given."""
    is_open = participant.study.state == StudyState.OPEN
    if participant.state != ParticipantState.INVITED or not is_open:
        return False
    if not participant.study.plan.screening.is_asked:
        return False
    return not _attempt(participant).filter(answered_at__isnull=False).exists()


@transaction.atomic
def answer_screening(
    *,
    participant: Participant,
    answers: Mapping[str, str],
    cpss: Mapping[str, str],
    answered_by: str,
    actor: Actor,
) -> Screening:
    """Decide by the answers who is asked for consent; who is not eligible is told so at once.

    `answers` has yes or no by each question's name, `cpss` the typed answers by item, where the
    protocol asks it. Raises ScreeningRefused; the same person answers once.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if not screening_waits(participant):
        raise ScreeningRefused(participant.code, "more of them")
    plan = participant.study.plan.screening
    known = {question.name for question in plan.questions}
    if set(answers) != known or not set(answers.values()) <= set(ANSWERS):
        raise ScreeningRefused(participant.code, "others")
    scored = _scored(participant, plan, cpss)
    screening = _attempt(participant).first() or _begun(participant)
    facts = {f"{CPSS}_{name}": value for name, value in scored.values.items()} if scored else {}
    reasons = plan.reasons_against(answers, facts)
    screening.reasons = list(reasons)
    screening.answered_at, screening.answered_by = clock.now(), answered_by
    screening.scores, screening.flags = facts, list(scored.flags if scored else ())
    screening.save()
    if reasons:
        participant.move_to(ParticipantState.INELIGIBLE, state_reason="not eligible at screening")
    record(
        actor=actor,
        action="answer_screening",
        subject=screening,
        new={
            "state": participant.state,
            "reasons": screening.reasons,
            "scores": screening.scores,
            "flags": screening.flags,
            "rule": scored.rule_id if scored else "",
            "answered_by": answered_by,
        },
    )
    return screening


def _attempt(participant: Participant) -> QuerySet[Screening]:
    return Screening.objects.filter(participant=participant)


def _begun(participant: Participant) -> Screening:
    """Return the attempt of who was invited before attempts were kept."""
    return Screening(
        study=participant.study,
        site=participant.site,
        participant=participant,
        screened_at=participant.enrolled_at,
        age_years=participant.age_years or 0,
    )


def _scored(
    participant: Participant, plan: ScreeningPlan, typed: Mapping[str, str]
) -> Scores | None:
    if not plan.rules:
        return None
    instrument = instrument_named(CPSS)
    try:
        read = {item.key: read_answer(item, typed.get(item.key)) for item in instrument.items}
    except AnswerRefused as error:
        raise ScreeningRefused(participant.code, "answers off the scale") from error
    if any(read[item.key] is None for item in instrument.items if item.required):
        raise ScreeningRefused(participant.code, "some of them")
    return score_answers(instrument, read)
