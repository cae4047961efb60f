"""Ask about harms at each visit after baseline, once and in the same words in every arm.

Events that people mention by themselves miss those that nobody asked about, and more so where staff
see people more often. A yes is followed by an adverse event of its own (`conduct/events.py`).
"""

from django.db import transaction

from studies import clock
from studies.exceptions import HarmsRefused
from studies.models.harms import HarmsInquiry
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import Visit
from studies.selectors.locks import require_unlocked
from studies.services.trail.audit import Actor, record

IN_CONTACT = (ParticipantState.ALLOCATED, ParticipantState.COMPLETED)


@transaction.atomic
def record_harms_inquiry(*, visit: Visit, was_untoward: bool, actor: Actor) -> HarmsInquiry:
    """Keep that somebody was asked at a visit; a second answer to it is refused.

    Raises HarmsRefused at baseline, before the visit opens, and when it was asked already; and
    DatabaseLocked.
    """
    visit = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    require_unlocked(visit.participant.study)
    if visit.week == 0:
        raise HarmsRefused("baseline")
    if visit.opens_at > clock.now():
        raise HarmsRefused(f"week {visit.week}, which is to come")
    if HarmsInquiry.objects.filter(visit=visit).exists():
        raise HarmsRefused(f"week {visit.week}, which has its answer")
    inquiry = HarmsInquiry.objects.create(
        visit=visit, was_untoward=was_untoward, asked_at=clock.now(), asked_by=actor.user
    )
    record(
        actor=actor,
        action="ask_about_harms",
        subject=inquiry,
        new={"week": visit.week, "was_untoward": was_untoward},
    )
    return inquiry


def visits_to_ask(participant: Participant) -> list[Visit]:
    """Return the visits that have opened and at which nobody asked about harms, by week.

    Whoever left is not asked any more, nor anybody when the database is locked.
    """
    if participant.state not in IN_CONTACT or participant.study.is_locked:
        return []
    visits = participant.visits.filter(week__gt=0, opens_at__lte=clock.now())
    return list(visits.filter(harms_inquiry=None).order_by("week"))
