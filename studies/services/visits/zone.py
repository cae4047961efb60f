"""Follow somebody who travels or moves: their days are those of the place where they are.

Reminders, nights and diaries ask for the zone whenever they need it. Visits are planned ahead, so
those that have not opened move to the same days at the new place. One that is open never closes
earlier than it would have.
"""

from django.db import transaction

from studies.design.windows import known_zones, local_day, start_of_day
from studies.exceptions import ZoneUnknown
from studies.models.participant import Participant
from studies.models.visit import AssessmentState, Visit
from studies.services.trail.audit import Actor, record
from studies.services.visits.scheduling import UNDONE, keep_calendar

MOMENTS = ("opens_at", "closes_at", "late_until")


@transaction.atomic
def change_zone(*, participant: Participant, zone: str, actor: Actor) -> Participant:
    """Let a participant's days be those of `zone` from now on; the same again changes nothing.

    Raises
    ------
    ZoneUnknown
        The time zone database has no such place.
    """
    if zone not in known_zones():
        raise ZoneUnknown(zone)
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    old = participant.zone
    if zone == old:
        return participant
    # What the old place's clock has opened by now is open.
    keep_calendar(participant=participant)
    participant.zone = zone
    participant.save(update_fields=["zone"])
    undone = participant.visits.filter(assessments__state__in=UNDONE).distinct()
    moved = [visit.week for visit in undone.order_by("week") if _move(visit, old, zone)]
    record(
        actor=actor,
        action="change_zone",
        subject=participant,
        old={"zone": old},
        new={"zone": zone, "weeks_moved": moved},
    )
    return participant


def _move(visit: Visit, old: str, new: str) -> bool:
    """Move what is still to come of a window to the new place; tell whether anything moved."""
    is_to_come = not visit.assessments.exclude(state=AssessmentState.SCHEDULED).exists()
    before = [getattr(visit, name) for name in MOMENTS]
    for name, moment in zip(MOMENTS, before, strict=True):
        if moment is None or (name == "opens_at" and not is_to_come):
            continue
        there = start_of_day(local_day(moment, old), new)
        setattr(visit, name, there if is_to_come else max(moment, there))
    visit.save(update_fields=MOMENTS)
    return before != [getattr(visit, name) for name in MOMENTS]
