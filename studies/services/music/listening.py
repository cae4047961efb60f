"""Minutes that were really heard: the union of what the player played aloud."""

from uuid import UUID

from django.db import transaction

from studies import clock
from studies.design.errors import DesignError
from studies.design.intervals import total_s, union
from studies.exceptions import ListeningRefused, NightUnknown
from studies.models.listening import ListeningSession, PlaylistAssignment
from studies.models.participant import Participant
from studies.selectors.locks import require_unlocked
from studies.services.trail.audit import participant_actor, record

INTERVALS_MAX = 2000
# A session only ever grows. Its audit entries mark its beginning and every five minutes more.
AUDIT_EVERY_S = 300.0


@transaction.atomic
def record_listening(
    *,
    participant: Participant,
    night_id: int,
    client_id: UUID | str,
    intervals: list[list[float]],
) -> ListeningSession:
    """Add what was played to one session of a night; sending it again changes nothing.

    Raises NightUnknown for somebody else's night, ListeningRefused for impossible times, and
    DatabaseLocked.
    """
    night = _locked_night(participant, night_id)
    require_unlocked(night.participant.study)
    client_id = _uuid(client_id)
    session = ListeningSession.objects.filter(client_id=client_id).first()
    if session is not None and session.assignment_id != night.pk:
        raise NightUnknown
    now = clock.now()
    session = session or ListeningSession(assignment=night, client_id=client_id, started_at=now)
    before = session.heard_s
    is_new = session.pk is None
    session.intervals = _added(session.intervals, intervals, night)
    session.heard_s = total_s(session.intervals)
    session.last_beat_at = now
    session.save()
    if is_new or session.heard_s // AUDIT_EVERY_S > before // AUDIT_EVERY_S:
        record(
            actor=participant_actor(night.participant),
            action="record_listening",
            subject=session,
            old=None if is_new else {"heard_s": before},
            new={"night_on": night.night_on, "heard_s": session.heard_s},
        )
    return session


def _locked_night(participant: Participant, night_id: int) -> PlaylistAssignment:
    nights = PlaylistAssignment.objects.select_for_update(of=("self",)).select_related(
        "playlist__track", "participant__study"
    )
    night = nights.filter(pk=night_id, participant=participant).first()
    if night is None or not hasattr(night.playlist, "track"):
        raise NightUnknown
    return night


def _added(
    before: list[list[float]], intervals: list[list[float]], night: PlaylistAssignment
) -> list[list[float]]:
    if not isinstance(intervals, list) or len(intervals) > INTERVALS_MAX:
        raise ListeningRefused(f"a list of at most {INTERVALS_MAX} stretches", type(intervals))
    try:
        return union([*before, *intervals], night.playlist.track.duration_s)
    except DesignError as error:
        raise ListeningRefused("stretches in seconds, start before end", str(error)) from error


def _uuid(text: UUID | str) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(str(text))
    except ValueError:
        raise ListeningRefused("the player's UUID", text) from None
