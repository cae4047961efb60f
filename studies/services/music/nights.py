"""One night of one listener: asked for, renewed, replaced, stood in for, dropped.

What can happen to a night, in this order (docs/sound.md, "Personal"):

asked for     `nights_ahead` evenings before, with the taste of that day
hurried       its listener waits before the page: it is made before what was only prepared
renewed       its taste has changed: at once while no worker has begun it; for *never again* also
              what is finished, whose mix serves until the new one is ready. Or its study is pinned
              to another renderer by now, and it waits
replaced      the new one is ready and the night was not played
tried again   its mix failed and has rested: under another seed, after twice the rest each time
stood in for  at bedtime there is no mix: one of the arm's pool takes its place
dropped       the night is over, and no worker has begun it: nobody would hear it
"""

from contextlib import suppress
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from generator.exceptions import PlaylistIsFinal
from generator.models.playlist import Playlist, PlaylistState
from generator.services.requesting import cancel_playlist, request_playlist
from studies import clock
from studies.exceptions import NoMusicInThisArm
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.models.study import Arm, ArmKind
from studies.services.allocation import arm_of
from studies.services.music.briefs import brief_of, opaque_key
from studies.services.music.pool import mix_for, rest_after
from studies.services.music.tastes import next_taste
from studies.services.trail.audit import SYSTEM, Actor, record
from studies.services.treatment import lock_treated

# A night's music is wanted by then, in the participant's zone ...
WANTED_AT = time(20)
# ... and from then until noon nobody is kept waiting for it.
BEDTIME_HOUR, NOON_HOUR = 21, 12
STUCK = (PlaylistState.FAILED, PlaylistState.CANCELLED)


@transaction.atomic
def ask_for_night(participant: Participant, night_on: date, actor: Actor) -> PlaylistAssignment:
    """Return the night of a date, asked for now unless it was before.

    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    participant, arm = lock_listener(participant)
    night = night_on_date(participant, night_on)
    if night is not None:
        return night
    return assign_night(participant, night_on, _ask(participant, arm, night_on, version=1), actor)


def lock_listener(participant: Participant) -> tuple[Participant, Arm]:
    """Return the participant under a lock, with the music arm they are in.

    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    participant = lock_treated(participant)
    arm = arm_of(participant)
    if arm.kind != ArmKind.MUSIC:
        raise NoMusicInThisArm
    return participant, arm


def renew_night(night: PlaylistAssignment, actor: Actor, because: str) -> None:
    """Ask for the night anew; a finished mix serves until the new one is ready."""
    participant, arm = lock_listener(night.participant)
    version = night.version + 1
    new = _ask(participant, arm, night.night_on, version=version)
    old, changed = night.playlist_id, {"version": version}
    drop_mix(night.replacement)
    if night.playlist.state == PlaylistState.READY:
        changed["replacement"] = new
    else:
        # What is not finished serves nobody, so the new one takes its place at once.
        drop_mix(night.playlist)
        changed |= {"playlist": new, "replacement": None}
    _change(night, actor, because, old={"playlist": old}, new={"playlist": new.pk}, **changed)


def put_replacement(night: PlaylistAssignment) -> PlaylistAssignment:
    """Put a finished replacement in place, unless the night was played by then."""
    new = night.replacement
    if new is None or new.state != PlaylistState.READY or night.sessions.exists():
        return night
    old = night.playlist_id
    _change(
        night,
        SYSTEM,
        "ready",
        old={"playlist": old},
        new={"playlist": new.pk},
        playlist=new,
        replacement=None,
    )
    return night


def let_pool_stand_in(night: PlaylistAssignment) -> PlaylistAssignment:
    """Let the pool stand in where the night's own mix failed, or is late at bedtime."""
    state = night.playlist.state
    if state == PlaylistState.READY or not (state in STUCK or is_bedtime(night)):
        return night
    mix = mix_for(night.participant)
    if mix is None:
        return night
    drop_mix(night.playlist)
    # Which mix it was stands in the row: in the trail it would tell who shares an arm.
    _change(
        night,
        SYSTEM,
        "failed" if state in STUCK else "late",
        playlist=mix,
        replacement=None,
        is_from_pool=True,
    )
    return night


def night_on_date(participant: Participant, night_on: date) -> PlaylistAssignment | None:
    """Return the night of a participant that begins on a date, if it was asked for."""
    nights = PlaylistAssignment.objects.select_related("playlist", "replacement", "participant")
    return nights.filter(participant=participant, night_on=night_on).first()


def assign_night(
    participant: Participant, night_on: date, playlist: Playlist, actor: Actor
) -> PlaylistAssignment:
    """Give a participant a mix for a night."""
    night = PlaylistAssignment.objects.create(
        participant=participant, night_on=night_on, playlist=playlist, assigned_at=clock.now()
    )
    record(
        actor=actor,
        action="assign_night",
        subject=night,
        new={"night_on": night_on, "playlist": night.playlist_id},
    )
    return night


def drop_mix(playlist: Playlist | None) -> None:
    """Cancel a mix that is not finished yet."""
    if playlist is not None:
        with suppress(PlaylistIsFinal):
            cancel_playlist(playlist)


def has_rested(night: PlaylistAssignment) -> bool:
    """Return whether the latest mix of a night failed and has rested long enough."""
    latest = night.replacement or night.playlist
    if latest.state != PlaylistState.FAILED:
        return False
    return latest.finished_at + rest_after(night.version - 1) <= timezone.now()


def is_bedtime(night: PlaylistAssignment) -> bool:
    """Return whether the listener should not be kept waiting any more where they live."""
    now = clock.now().astimezone(ZoneInfo(night.participant.zone))
    return now.hour >= BEDTIME_HOUR or now.hour < NOON_HOUR


def _ask(participant: Participant, arm: Arm, night_on: date, *, version: int) -> Playlist:
    """Ask for a night's mix; each version of a night has a key, and a seed, of its own."""
    later = (version,) if version > 1 else ()
    key = opaque_key(participant.code, night_on.isoformat(), *later)
    return request_playlist(
        brief=brief_of(study=participant.study, arm=arm, taste=next_taste(participant), key=key),
        key=key,
        wanted_by=datetime.combine(night_on, WANTED_AT, ZoneInfo(participant.zone)),
    )


def _change(
    night: PlaylistAssignment,
    actor: Actor,
    because: str,
    *,
    old: dict[str, object] | None = None,
    new: dict[str, object] | None = None,
    **fields: object,
) -> None:
    for name, value in fields.items():
        setattr(night, name, value)
    night.save(update_fields=list(fields))
    record(
        actor=actor,
        action="change_night",
        subject=night,
        old=old,
        new={"night_on": night.night_on, "because": because, **(new or {})},
    )
