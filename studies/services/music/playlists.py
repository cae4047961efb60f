"""The nights' music: one mix a night, prepared some nights ahead, so that bedtime never waits.

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

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from generator.exceptions import PlaylistIsFinal
from generator.models.playlist import Playlist, PlaylistState
from generator.selectors import waits_unmade
from generator.services.requesting import (
    cancel_playlist,
    hurry_playlist,
    request_playlist,
    retry_playlist,
)
from studies import clock
from studies.design.windows import night_of
from studies.exceptions import NightUnknown, NoMusicInThisArm, NotInTreatment
from studies.models.consent import Withdrawal
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Arm, ArmKind, Study, StudyState
from studies.models.visit import Assessment
from studies.services.allocation import arm_kind_of, arm_of, music_participants
from studies.services.music.briefs import brief_of, opaque_key
from studies.services.music.pool import mix_for, rest_after
from studies.services.music.renderer import is_pinned_so
from studies.services.music.tastes import next_taste, taste_of
from studies.services.trail.audit import SYSTEM, Actor, participant_actor, record
from studies.services.visits.scheduling import UNDONE

# A night's music is wanted by then, in the participant's zone ...
WANTED_AT = time(20)
# ... and from then until noon nobody is kept waiting for it.
BEDTIME_HOUR, NOON_HOUR = 21, 12
# Two dates at most are "tonight" somewhere on earth at one moment; three leave room.
RECENT = timedelta(days=2)
STUCK = (PlaylistState.FAILED, PlaylistState.CANCELLED)


@dataclass(frozen=True, slots=True)
class NightCoverage:
    """How many people get music tonight, and for how many of them it is ready."""

    n_expected: int
    n_ready: int


def coverage_tonight() -> NightCoverage:
    """Return whether tonight's music is there, over all open studies; never whose."""
    expected = {(p.pk, tonight(p)) for p in _in_treatment()}
    ready = PlaylistAssignment.objects.filter(
        playlist__state=PlaylistState.READY, night_on__in={night_on for _pk, night_on in expected}
    ).values_list("participant", "night_on")
    return NightCoverage(n_expected=len(expected), n_ready=len(expected & set(ready)))


@transaction.atomic
def request_tonight(*, participant: Participant) -> PlaylistAssignment:
    """Return tonight's mix, asked for now unless it was before; a failed one is tried again.

    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    night = _request(participant, tonight(participant), participant_actor(participant))
    if night.playlist.state not in STUCK:
        return night
    if is_pinned_so(night.playlist.brief, participant.study):
        retry_playlist(night.playlist)
    else:
        _renew(night, participant_actor(participant), "renderer")
    return night


@transaction.atomic
def serve_tonight(*, participant: Participant) -> PlaylistAssignment:
    """Return what the participant hears tonight: their own mix, or at bedtime one of the pool.

    What they have to wait for is made before what was only prepared ahead.
    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    night = _request(participant, tonight(participant), participant_actor(participant))
    night = _with_something_to_hear(_with_replacement(night))
    hurry_playlist(night.playlist)
    return night


def request_due() -> int:
    """Ask ahead for the coming nights of everybody in a music arm; return how many nights.

    The day begins at noon (`design.windows.night_of`). Running twice asks once.
    """
    recent = clock.now().date() - RECENT
    have = set(
        PlaylistAssignment.objects.filter(night_on__gte=recent).values_list(
            "participant", "night_on"
        )
    )
    studies = Study.objects.filter(state=StudyState.OPEN)
    ahead = {study.pk: study.plan.music.nights_ahead for study in studies}
    lacking = [
        (participant, night_on)
        for participant in _in_treatment()
        for night_on in _coming_nights(participant, ahead.get(participant.study_id, 0))
        if (participant.pk, night_on) not in have
    ]
    for participant, night_on in lacking:
        with suppress(NotInTreatment):
            _request(participant, night_on, SYSTEM)
    return len(lacking)


def drop_past_nights() -> int:
    """Cancel what waits for nights that are over; return how many nights.

    After an outage it would be made before tonight's, being wanted first, and nobody would hear it.
    """
    waits = Q(playlist__state=PlaylistState.QUEUED) | Q(replacement__state=PlaylistState.QUEUED)
    # Where the clock is furthest behind, tonight may be yesterday's date by this one.
    left = PlaylistAssignment.objects.filter(waits, night_on__lte=clock.now().date())
    nights = left.select_related("playlist", "replacement", "participant")
    past = [night for night in nights if night.night_on < tonight(night.participant)]
    for night in past:
        for waiting in (night.playlist, night.replacement):
            if waiting is not None and waiting.state == PlaylistState.QUEUED:
                _drop(waiting)
    return len(past)


def settle_nights() -> int:
    """Put what is ready in place, and let the pool stand in where bedtime has come.

    Return how many nights changed. The pages do the same for whoever opens them; this is for those
    whose phone has saved the page, and for the administrator's view of tonight.
    """
    recent = clock.now().date() - RECENT
    open_nights = PlaylistAssignment.objects.filter(night_on__gte=recent).filter(
        Q(replacement__state=PlaylistState.READY) | ~Q(playlist__state=PlaylistState.READY)
    )
    nights = open_nights.select_related("playlist", "replacement", "participant")
    return sum(_settle(night.pk) for night in nights if _may_change(night))


def retry_nights() -> int:
    """Ask anew for coming nights whose mix failed and has rested; return how many.

    Under another seed, whatever the reason: music that failed its quality control would fail again.
    """
    failed = PlaylistAssignment.objects.filter(
        Q(replacement__state=PlaylistState.FAILED)
        | Q(replacement=None, playlist__state=PlaylistState.FAILED),
        night_on__gte=clock.now().date() - RECENT,
        is_from_pool=False,
        sessions=None,
    ).select_related("playlist", "replacement")
    return sum(_renew_if(_has_rested, night.pk, "failed") for night in failed if _has_rested(night))


def renew_stale_nights() -> int:
    """Ask anew for waiting nights that their study has by now pinned otherwise; return how many.

    Nobody might be left who could make them as they were asked for. What only waits for its
    encoder is made already, and stays.
    """
    waits = Q(playlist__state=PlaylistState.QUEUED) | Q(replacement__state=PlaylistState.QUEUED)
    waiting = PlaylistAssignment.objects.filter(
        waits,
        night_on__gte=clock.now().date() - RECENT,
        participant__study__state=StudyState.OPEN,
        is_from_pool=False,
        sessions=None,
    ).select_related("playlist", "replacement", "participant__study")
    return sum(_renew_if(_is_stale, night.pk, "renderer") for night in waiting if _is_stale(night))


@transaction.atomic
def renew_nights(*, participant: Participant, actor: Actor, because: str) -> int:
    """Ask anew for unplayed nights that would sound otherwise by now; return how many.

    `because` is ``taste``, which leaves what is made or being made as it is, or ``never_again``,
    which does not.
    """
    if not is_in_treatment(participant):
        return 0
    wanted = next_taste(participant)
    unplayed = PlaylistAssignment.objects.filter(
        participant=participant,
        night_on__gte=tonight(participant),
        is_from_pool=False,
        sessions=None,
    ).select_related("playlist", "replacement")
    n_renewed = 0
    for night in unplayed.order_by("night_on"):
        latest = night.replacement or night.playlist
        is_untouched = latest.state == PlaylistState.QUEUED and latest.attempt == 0
        if taste_of(latest.brief) != wanted and (is_untouched or because == "never_again"):
            _renew(night, actor, because)
            n_renewed += 1
    return n_renewed


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


def treatment_of(participant: Participant) -> str | None:
    """Return ``music`` or ``cbt``: what there is for the participant this evening, if anything."""
    return arm_kind_of(participant) if is_in_treatment(participant) else None


def _awaited(study: Study) -> QuerySet[Assessment]:
    """Return what is still to be answered at the visits of a study up to the end of treatment."""
    awaited = Assessment.objects.filter(state__in=UNDONE, visit__week__gt=0)
    last = study.treated_until_week
    return awaited if last is None else awaited.filter(visit__week__lte=last)


@transaction.atomic
def cancel_nights(*, participant: Participant) -> None:
    """Cancel every mix of this participant that is not finished yet."""
    nights = PlaylistAssignment.objects.filter(participant=participant)
    for night in nights.select_related("playlist", "replacement"):
        _drop(night.playlist)
        _drop(night.replacement)


@transaction.atomic
def assign_mix(
    *, participant: Participant, playlist: Playlist, actor: Actor = SYSTEM
) -> PlaylistAssignment:
    """Give the participant a finished mix of their own arm's composer for tonight.

    For the demonstration, whose people share a few mixes.
    """
    participant, arm = _in_music(participant)
    if playlist.brief["composer"] != arm.composer or playlist.state != PlaylistState.READY:
        raise NightUnknown
    night_on = tonight(participant)
    return _night(participant, night_on) or _assign(participant, night_on, playlist, actor)


@transaction.atomic
def _request(participant: Participant, night_on: date, actor: Actor) -> PlaylistAssignment:
    participant, arm = _in_music(participant)
    night = _night(participant, night_on)
    if night is not None:
        return night
    return _assign(participant, night_on, _ask(participant, arm, night_on, version=1), actor)


def _ask(participant: Participant, arm: Arm, night_on: date, *, version: int) -> Playlist:
    """Ask for a night's mix; each version of a night has a key, and a seed, of its own."""
    later = (version,) if version > 1 else ()
    key = opaque_key(participant.code, night_on.isoformat(), *later)
    return request_playlist(
        brief=brief_of(study=participant.study, arm=arm, taste=next_taste(participant), key=key),
        key=key,
        wanted_by=datetime.combine(night_on, WANTED_AT, ZoneInfo(participant.zone)),
    )


def _renew(night: PlaylistAssignment, actor: Actor, because: str) -> None:
    participant, arm = _in_music(night.participant)
    version = night.version + 1
    new = _ask(participant, arm, night.night_on, version=version)
    old, changed = night.playlist_id, {"version": version}
    _drop(night.replacement)
    if night.playlist.state == PlaylistState.READY:
        changed["replacement"] = new
    else:
        # What is not finished serves nobody, so the new one takes its place at once.
        _drop(night.playlist)
        changed |= {"playlist": new, "replacement": None}
    _change(night, actor, because, old={"playlist": old}, new={"playlist": new.pk}, **changed)


def _with_replacement(night: PlaylistAssignment) -> PlaylistAssignment:
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


def _with_something_to_hear(night: PlaylistAssignment) -> PlaylistAssignment:
    """Let the pool stand in where the night's own mix failed, or is late at bedtime."""
    state = night.playlist.state
    if state == PlaylistState.READY or not (state in STUCK or _is_bedtime(night)):
        return night
    mix = mix_for(night.participant)
    if mix is None:
        return night
    _drop(night.playlist)
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


@transaction.atomic
def _settle(pk: int) -> bool:
    owner = PlaylistAssignment.objects.select_related("participant").get(pk=pk).participant
    try:
        participant, _arm = _in_music(owner)
    except NotInTreatment:
        return False
    # Read under the lock: the participant may be opening the page at this moment.
    nights = PlaylistAssignment.objects.select_related("playlist", "replacement", "participant")
    night = nights.get(pk=pk)
    before = night.playlist_id
    _with_replacement(night)
    if night.night_on == tonight(participant):
        _with_something_to_hear(night)
    return night.playlist_id != before


@transaction.atomic
def _renew_if(is_due: Callable[[PlaylistAssignment], bool], pk: int, because: str) -> bool:
    """Ask anew for a night if, read under the lock, it is still to come and due."""
    owner = PlaylistAssignment.objects.select_related("participant").get(pk=pk).participant
    try:
        participant, _arm = _in_music(owner)
    except NotInTreatment:
        return False
    night = _night(participant, PlaylistAssignment.objects.get(pk=pk).night_on)
    if night.night_on < tonight(participant) or not is_due(night):
        return False
    _renew(night, SYSTEM, because)
    return True


def _is_stale(night: PlaylistAssignment) -> bool:
    latest = night.replacement or night.playlist
    study = night.participant.study
    return not is_pinned_so(latest.brief, study) and waits_unmade(latest)


def _has_rested(night: PlaylistAssignment) -> bool:
    latest = night.replacement or night.playlist
    if latest.state != PlaylistState.FAILED:
        return False
    return latest.finished_at + rest_after(night.version - 1) <= timezone.now()


def _may_change(night: PlaylistAssignment) -> bool:
    """Return whether a night is worth the locks: its replacement is there, or nothing is."""
    if night.replacement and night.replacement.state == PlaylistState.READY:
        return True
    if night.night_on != tonight(night.participant):
        return False
    return night.playlist.state in STUCK or _is_bedtime(night)


def _is_bedtime(night: PlaylistAssignment) -> bool:
    now = clock.now().astimezone(ZoneInfo(night.participant.zone))
    return now.hour >= BEDTIME_HOUR or now.hour < NOON_HOUR


def _drop(playlist: Playlist | None) -> None:
    if playlist is not None:
        with suppress(PlaylistIsFinal):
            cancel_playlist(playlist)


def _in_music(participant: Participant) -> tuple[Participant, Arm]:
    participant = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("study")
        .get(pk=participant.pk)
    )
    if not is_in_treatment(participant):
        raise NotInTreatment(participant.code, participant.state)
    arm = arm_of(participant)
    if arm.kind != ArmKind.MUSIC:
        raise NoMusicInThisArm
    return participant, arm


def _assign(
    participant: Participant, night_on: date, playlist: Playlist, actor: Actor
) -> PlaylistAssignment:
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


def _in_treatment() -> QuerySet[Participant]:
    """Return everybody who gets music now; the same rule as `is_in_treatment`, in one query."""
    treated = music_participants().filter(
        state=ParticipantState.ALLOCATED, study__state=StudyState.OPEN, withdrawals=None
    )
    goes_on = Q()
    for study in Study.objects.filter(state=StudyState.OPEN):
        own = _awaited(study).filter(visit__participant=OuterRef("pk"))
        goes_on |= Q(Exists(own), study=study)
    return treated.filter(goes_on).select_related("study")


def _coming_nights(participant: Participant, ahead: int) -> Iterable[date]:
    first = tonight(participant)
    return (first + timedelta(days=number) for number in range(ahead))


def _night(participant: Participant, night_on: date) -> PlaylistAssignment | None:
    nights = PlaylistAssignment.objects.select_related("playlist", "replacement", "participant")
    return nights.filter(participant=participant, night_on=night_on).first()
