"""Who is treated now, and with what: asked before every night, lesson and reminder."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from studies import clock
from studies.design.windows import night_of
from studies.exceptions import NotInTreatment
from studies.models.consent import Withdrawal
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study, StudyState
from studies.models.visit import Assessment
from studies.services.allocation import arm_kind_of, music_participants
from studies.services.visits.scheduling import UNDONE


def tonight(participant: Participant) -> date:
    """Return the date of the evening that it is now for this participant."""
    return night_of(clock.now(), participant.zone)


def is_in_treatment(participant: Participant) -> bool:
    """Return whether the participant gets something every evening now.

    Until the visit that ends the treatment is answered, or over: whoever misses it gets no more.
    """
    return (
        participant.state == ParticipantState.ALLOCATED
        and participant.study.state == StudyState.OPEN
        and not Withdrawal.objects.filter(participant=participant).exists()
        and _awaited(participant.study).filter(visit__participant=participant).exists()
    )


def lock_treated(participant: Participant) -> Participant:
    """Return the participant under a lock; raise NotInTreatment where they get nothing now."""
    participant = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("study")
        .get(pk=participant.pk)
    )
    if not is_in_treatment(participant):
        raise NotInTreatment(participant.code, participant.state)
    return participant


def treatment_of(participant: Participant) -> str | None:
    """Return ``music`` or ``cbt``: what there is for the participant this evening, if anything."""
    return arm_kind_of(participant) if is_in_treatment(participant) else None


def in_music_treatment() -> QuerySet[Participant]:
    """Return everybody who gets music now; the same rule as `is_in_treatment`, in one query."""
    treated = music_participants().filter(
        state=ParticipantState.ALLOCATED, study__state=StudyState.OPEN, withdrawals=None
    )
    goes_on = Q()
    for study in Study.objects.filter(state=StudyState.OPEN):
        own = _awaited(study).filter(visit__participant=OuterRef("pk"))
        goes_on |= Q(Exists(own), study=study)
    return treated.filter(goes_on).select_related("study")


def _awaited(study: Study) -> QuerySet[Assessment]:
    """Return what is still to be answered at the visits of a study up to the end of treatment."""
    awaited = Assessment.objects.filter(state__in=UNDONE, visit__week__gt=0)
    last = study.treated_until_week
    return awaited if last is None else awaited.filter(visit__week__lte=last)
