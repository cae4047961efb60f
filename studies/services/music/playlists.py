"""Tonight's music: one mix a night, asked for ahead so that bedtime never waits."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet

from generator.engine.brief import Bed, Brief, ComposerName, Instrument, Mode, Style
from generator.exceptions import PlaylistIsFinal
from generator.models.playlist import Playlist, PlaylistState
from generator.services.requesting import cancel_playlist, request_playlist, retry_playlist
from studies import clock
from studies.design.parts import MusicProfile
from studies.design.windows import night_of
from studies.exceptions import NightUnknown, NoMusicInThisArm, NotInTreatment
from studies.models.consent import Withdrawal
from studies.models.listening import PlaylistAssignment
from studies.models.participant import MusicPreference, Participant, ParticipantState
from studies.models.study import Arm, ArmKind, StudyState
from studies.services.allocation import arm_of, music_participants
from studies.services.trail.audit import SYSTEM, Actor, participant_actor, record

DEFAULT_STYLES = {Style.CLASSICAL: 1.0}
DEFAULT_TEMPO_BPM = 66.0


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
    return _request(participant, tonight(participant), participant_actor(participant))


def request_due() -> int:
    """Ask ahead for tonight's mix of everybody in a music arm who has none; return how many.

    The day begins at noon (`design.windows.night_of`), so there are hours to make it before bed.
    """
    # Two dates at most are "tonight" somewhere on earth at one moment; three leave room.
    recent = clock.now().date() - timedelta(days=2)
    have = set(
        PlaylistAssignment.objects.filter(night_on__gte=recent).values_list(
            "participant", "night_on"
        )
    )
    lacking = [p for p in _in_treatment() if (p.pk, tonight(p)) not in have]
    for participant in lacking:
        _request(participant, tonight(participant), SYSTEM)
    return len(lacking)


def tonight(participant: Participant) -> date:
    """Return the date of the evening that it is now for this participant."""
    return night_of(clock.now(), participant.zone)


def is_in_treatment(participant: Participant) -> bool:
    """Return whether the participant gets something every evening now."""
    return (
        participant.state == ParticipantState.ALLOCATED
        and participant.study.state == StudyState.OPEN
        and not Withdrawal.objects.filter(participant=participant).exists()
    )


@transaction.atomic
def cancel_nights(*, participant: Participant) -> None:
    """Cancel every mix of this participant that is not finished yet."""
    nights = PlaylistAssignment.objects.filter(participant=participant).select_related("playlist")
    for night in nights:
        with suppress(PlaylistIsFinal):
            cancel_playlist(night.playlist)


@transaction.atomic
def assign_mix(
    *, participant: Participant, playlist: Playlist, actor: Actor = SYSTEM
) -> PlaylistAssignment:
    """Give the participant a finished mix of their own arm's composer for tonight.

    The way out when tonight's own mix cannot be made in time: nobody meets an error at bedtime.
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
        if night.playlist.state == PlaylistState.FAILED:
            retry_playlist(night.playlist)
        return night
    key = _night_key(participant, night_on)
    playlist = request_playlist(brief=_brief(participant, arm, key), key=key)
    return _assign(participant, night_on, playlist, actor)


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
    return treated.select_related("study")


def _night(participant: Participant, night_on: date) -> PlaylistAssignment | None:
    nights = PlaylistAssignment.objects.select_related("playlist")
    return nights.filter(participant=participant, night_on=night_on).first()


def _brief(participant: Participant, arm: Arm, key: str) -> Brief:
    taste = MusicPreference.objects.filter(participant=participant).first()
    plan = participant.study.plan
    stated = (
        {
            "tempo_bpm": taste.tempo_bpm,
            "mode": Mode(taste.mode),
            "instrument": Instrument(taste.instrument),
            "bed": Bed(taste.bed),
        }
        if taste
        else {"tempo_bpm": DEFAULT_TEMPO_BPM}
    )
    stated["tempo_bpm"] = min(stated["tempo_bpm"], plan.music.tempo_max_bpm)
    return Brief(
        composer=ComposerName(arm.composer),
        minutes=float(plan.night_minutes),
        seed=int(key[:16], 16) >> 1,
        styles=_styles(taste.styles if taste else DEFAULT_STYLES, plan.music),
        **stated,
    )


def _styles(liked: Mapping[str, float], profile: MusicProfile) -> dict[Style, float]:
    """Return what is liked and may be played; where that is nothing, what may be played."""
    playable = {name: liked[name] for name in liked if name in profile.styles and liked[name] > 0}
    chosen = playable or dict.fromkeys(profile.styles[:1], 1.0)
    if len(chosen) == len(liked):
        return {Style(name): weight for name, weight in liked.items()}
    total = sum(chosen.values())
    return {Style(name): weight / total for name, weight in chosen.items()}


def _night_key(participant: Participant, night_on: date) -> str:
    # A hash: the generator's tables name no participant, and the key does not tell the arm.
    return hashlib.sha256(f"{participant.code}|{night_on.isoformat()}".encode()).hexdigest()
