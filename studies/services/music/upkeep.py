"""What happens to nights without anybody asking; `preparing` does all of it in turn."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q

from generator.models.playlist import PlaylistState
from generator.selectors import waits_unmade
from studies import clock
from studies.exceptions import NotInTreatment
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.models.study import Study, StudyState
from studies.services.music.nights import (
    STUCK,
    ask_for_night,
    drop_mix,
    has_rested,
    is_bedtime,
    let_pool_stand_in,
    lock_listener,
    night_on_date,
    put_replacement,
    renew_night,
)
from studies.services.music.renderer import is_pinned_so
from studies.services.trail.audit import SYSTEM
from studies.services.treatment import in_music_treatment, tonight

# Two dates at most are "tonight" somewhere on earth at one moment; three leave room.
RECENT = timedelta(days=2)


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
        for participant in in_music_treatment()
        for night_on in _coming_nights(participant, ahead.get(participant.study_id, 0))
        if (participant.pk, night_on) not in have
    ]
    for participant, night_on in lacking:
        with suppress(NotInTreatment):
            ask_for_night(participant, night_on, SYSTEM)
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
                drop_mix(waiting)
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
    return sum(_renew_if(has_rested, night.pk, "failed") for night in failed if has_rested(night))


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
def _settle(pk: int) -> bool:
    owner = PlaylistAssignment.objects.select_related("participant").get(pk=pk).participant
    try:
        participant, _arm = lock_listener(owner)
    except NotInTreatment:
        return False
    # Read under the lock: the participant may be opening the page at this moment.
    nights = PlaylistAssignment.objects.select_related("playlist", "replacement", "participant")
    night = nights.get(pk=pk)
    before = night.playlist_id
    put_replacement(night)
    if night.night_on == tonight(participant):
        let_pool_stand_in(night)
    return night.playlist_id != before


@transaction.atomic
def _renew_if(is_due: Callable[[PlaylistAssignment], bool], pk: int, because: str) -> bool:
    """Ask anew for a night if, read under the lock, it is still to come and due."""
    owner = PlaylistAssignment.objects.select_related("participant").get(pk=pk).participant
    try:
        participant, _arm = lock_listener(owner)
    except NotInTreatment:
        return False
    night = night_on_date(participant, PlaylistAssignment.objects.get(pk=pk).night_on)
    if night.night_on < tonight(participant) or not is_due(night):
        return False
    renew_night(night, SYSTEM, because)
    return True


def _may_change(night: PlaylistAssignment) -> bool:
    """Return whether a night is worth the locks: its replacement is there, or nothing is."""
    if night.replacement and night.replacement.state == PlaylistState.READY:
        return True
    if night.night_on != tonight(night.participant):
        return False
    return night.playlist.state in STUCK or is_bedtime(night)


def _is_stale(night: PlaylistAssignment) -> bool:
    latest = night.replacement or night.playlist
    study = night.participant.study
    return not is_pinned_so(latest.brief, study) and waits_unmade(latest)


def _coming_nights(participant: Participant, ahead: int) -> Iterable[date]:
    first = tonight(participant)
    return (first + timedelta(days=number) for number in range(ahead))
