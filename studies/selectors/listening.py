"""What was heard, night by night."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum

from studies.models.listening import ListeningSession
from studies.models.participant import Participant
from studies.models.study import Study


@dataclass(frozen=True, slots=True)
class Night:
    """One night of one participant: minutes heard in all sessions together.

    `rating` is what they said of it, empty if nothing; `is_from_pool`: a mix of the pool stood in.
    """

    code: str
    night_on: date
    minutes: float
    rating: str = ""
    is_from_pool: bool = False


def minutes_by_night(participant: Participant) -> list[Night]:
    """Return the participant's nights, oldest first."""
    return _nights(ListeningSession.objects.filter(assignment__participant=participant))


def nights_of(study: Study) -> list[Night]:
    """Return every night of a study on which something was heard."""
    return _nights(ListeningSession.objects.filter(assignment__participant__study=study))


def _nights(sessions: QuerySet[ListeningSession]) -> list[Night]:
    rows = (
        sessions.values_list(
            "assignment__participant__code",
            "assignment__night_on",
            "assignment__rating__rating",
            "assignment__is_from_pool",
        )
        .annotate(heard_s=Sum("heard_s"))
        .order_by("assignment__participant__code", "assignment__night_on")
    )
    return [
        Night(code, night_on, heard_s / 60, rating or "", is_from_pool)
        for code, night_on, rating, is_from_pool, heard_s in rows
    ]
