"""A small pool of mixes for each music arm: nobody meets an error, or a wait, at bedtime.

Rendered once the study is open, after everything that somebody waits for; the same number, length,
tastes and renderer in every arm. Which mix a participant gets follows from what they had: one they
did not rate *never again*, of those the one they had least often, of those the first.

A mix that failed is asked for again by itself, each time after twice the rest: music that failed
its quality control with another seed, since the same would fail again, anything else as it was. One
that waits while its study changes its renderer is asked for anew.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generator.engine.brief import Instrument
from generator.exceptions import PlaylistIsFinal
from generator.models.playlist import FailureCode, Playlist, PlaylistState
from generator.selectors import waits_unmade
from generator.services.requesting import cancel_playlist, request_playlist, retry_playlist
from studies import clock
from studies.design.taste import Rating
from studies.models.listening import NightRating, PlaylistAssignment, PoolMix
from studies.models.participant import Participant
from studies.models.study import Arm, ArmKind, StudyState
from studies.services.allocation import arm_of
from studies.services.music.briefs import brief_of, opaque_key
from studies.services.music.renderer import is_pinned_so
from studies.services.music.tastes import default_taste
from studies.services.trail.audit import SYSTEM, record

# Nights go before it, also when a hundred people are enrolled on the first day.
WANTED_WITHIN = timedelta(days=7)
# A failed mix rests so long, then twice as long, and so on up to a day.
FIRST_REST, LONGEST_REST = timedelta(minutes=10), timedelta(days=1)
# The mixes of a pool differ in their instrument, so that two bad nights do not sound alike.
INSTRUMENTS = tuple(Instrument)


def fill_pools() -> int:
    """Ask for what the pools of all open studies lack; return how many mixes that was."""
    music_arms = Arm.objects.filter(kind=ArmKind.MUSIC, study__state=StudyState.OPEN)
    return sum(_fill(arm) for arm in music_arms.select_related("study"))


def retry_failed() -> int:
    """Ask again for the mixes of open studies that failed and have rested; return how many."""
    failed = PoolMix.objects.filter(
        arm__study__state=StudyState.OPEN, playlist__state=PlaylistState.FAILED
    )
    now = timezone.now()
    rested = [mix for mix in failed.select_related("playlist") if _rests_until(mix) <= now]
    return sum(_retry(mix.pk) for mix in rested)


def renew_stale_mixes() -> int:
    """Ask anew for waiting mixes that their study has by now pinned otherwise; return how many."""
    waiting = PoolMix.objects.filter(
        arm__study__state=StudyState.OPEN, playlist__state=PlaylistState.QUEUED
    ).select_related("arm__study", "playlist")
    return sum(_renew(mix.pk) for mix in waiting if _is_stale(mix))


def mix_for(participant: Participant) -> Playlist | None:
    """Return the mix of the participant's own arm that stands in next; None if none is ready."""
    mixes = PoolMix.objects.filter(
        arm=arm_of(participant),
        minutes=participant.study.plan.night_minutes,
        playlist__state=PlaylistState.READY,
    )
    own = PlaylistAssignment.objects.filter(participant=participant)
    had = Counter(own.values_list("playlist", flat=True))
    refused = set(
        NightRating.objects.filter(
            assignment__participant=participant, rating=Rating.NEVER_AGAIN
        ).values_list("assignment__playlist", flat=True)
    )
    in_turn = sorted(
        mixes.select_related("playlist"),
        key=lambda mix: (mix.playlist_id in refused, had[mix.playlist_id], mix.position),
    )
    return in_turn[0].playlist if in_turn else None


def rest_after(n_retries: int) -> timedelta:
    """Return how long a mix rests that failed after so many retries."""
    # Beyond eight doublings it is a day anyway.
    return min(FIRST_REST * 2 ** min(n_retries, 8), LONGEST_REST)


def _fill(arm: Arm) -> int:
    minutes = arm.study.plan.night_minutes
    there = set(PoolMix.objects.filter(arm=arm, minutes=minutes).values_list("position", flat=True))
    lacking = [place for place in range(settings.NOCTURNE_POOL_MIXES) if place not in there]
    for position in lacking:
        _ask(arm, minutes, position)
    return len(lacking)


@transaction.atomic
def _ask(arm: Arm, minutes: int, position: int) -> None:
    study = arm.study
    playlist = _request(arm, minutes, position)
    mix, is_new = PoolMix.objects.get_or_create(
        arm=arm,
        minutes=minutes,
        position=position,
        defaults={"playlist": playlist, "asked_at": clock.now()},
    )
    if is_new:
        # Neither arm nor mix: whoever reads the trail could tell the arms of those who had it.
        record(
            actor=SYSTEM,
            action="fill_pool",
            subject=mix,
            new={"minutes": minutes, "position": position},
            chain=study.code,
        )


def _request(arm: Arm, minutes: int, position: int, n_retries: int = 0) -> Playlist:
    """Ask for a mix; each retry that draws anew has a key, and a seed, of its own."""
    study = arm.study
    taste = replace(
        default_taste(study.plan.music), instrument=INSTRUMENTS[position % len(INSTRUMENTS)].value
    )
    again = (n_retries,) if n_retries else ()
    key = opaque_key("pool", study.code, arm.code, minutes, position, *again)
    return request_playlist(
        brief=brief_of(study=study, arm=arm, taste=taste, key=key),
        key=key,
        # By the clock of the nights, which a demonstration moves.
        wanted_by=clock.now() + WANTED_WITHIN,
    )


def _rests_until(mix: PoolMix) -> datetime:
    return mix.playlist.finished_at + rest_after(mix.n_retries)


@transaction.atomic
def _renew(pk: int) -> bool:
    mix = _locked(pk)
    if not _is_stale(mix):
        return False
    try:
        cancel_playlist(mix.playlist)
    except PlaylistIsFinal:
        # A worker that meets the old pin has finished it in the meantime.
        return False
    mix.n_retries += 1
    mix.playlist = _request(mix.arm, mix.minutes, mix.position, mix.n_retries)
    mix.save(update_fields=["n_retries", "playlist"])
    _record(mix, "renew_pool_mix")
    return True


def _is_stale(mix: PoolMix) -> bool:
    study = mix.arm.study
    return not is_pinned_so(mix.playlist.brief, study) and waits_unmade(mix.playlist)


@transaction.atomic
def _retry(pk: int) -> bool:
    mix = _locked(pk)
    if mix.playlist.state != PlaylistState.FAILED or _rests_until(mix) > timezone.now():
        return False
    mix.n_retries += 1
    is_stale = not is_pinned_so(mix.playlist.brief, mix.arm.study)
    if is_stale or mix.playlist.failure_code == FailureCode.QUALITY:
        mix.playlist = _request(mix.arm, mix.minutes, mix.position, mix.n_retries)
    else:
        retry_playlist(mix.playlist)
    mix.save(update_fields=["n_retries", "playlist"])
    _record(mix, "retry_pool_mix")
    return True


def _locked(pk: int) -> PoolMix:
    mixes = PoolMix.objects.select_for_update(of=("self",)).select_related("arm__study", "playlist")
    return mixes.get(pk=pk)


def _record(mix: PoolMix, action: str) -> None:
    record(
        actor=SYSTEM,
        action=action,
        subject=mix,
        new={"minutes": mix.minutes, "position": mix.position, "retry": mix.n_retries},
        chain=mix.arm.study.code,
    )
