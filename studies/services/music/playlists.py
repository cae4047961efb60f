"""The nights' music as its listeners ask for it: one mix a night, prepared some nights ahead.

What can happen to a night stands in `nights`, what the scheduler does for it in `upkeep`.
"""

from dataclasses import dataclass

from django.db import transaction

from generator.models.playlist import Playlist, PlaylistState
from generator.services.requesting import hurry_playlist, retry_playlist
from studies.exceptions import NightUnknown
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.services.music.nights import (
    STUCK,
    ask_for_night,
    assign_night,
    drop_mix,
    let_pool_stand_in,
    lock_listener,
    night_on_date,
    put_replacement,
    renew_night,
)
from studies.services.music.renderer import is_pinned_so
from studies.services.music.tastes import next_taste, taste_of
from studies.services.trail.audit import SYSTEM, Actor, participant_actor
from studies.services.treatment import in_music_treatment, is_in_treatment, tonight


@dataclass(frozen=True, slots=True)
class NightCoverage:
    """How many people get music tonight, and for how many of them it is ready."""

    n_expected: int
    n_ready: int


def coverage_tonight() -> NightCoverage:
    """Return whether tonight's music is there, over all open studies; never whose."""
    expected = {(p.pk, tonight(p)) for p in in_music_treatment()}
    ready = PlaylistAssignment.objects.filter(
        playlist__state=PlaylistState.READY, night_on__in={night_on for _pk, night_on in expected}
    ).values_list("participant", "night_on")
    return NightCoverage(n_expected=len(expected), n_ready=len(expected & set(ready)))


@transaction.atomic
def request_tonight(*, participant: Participant) -> PlaylistAssignment:
    """Return tonight's mix, asked for now unless it was before; a failed one is tried again.

    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    night = ask_for_night(participant, tonight(participant), participant_actor(participant))
    if night.playlist.state not in STUCK:
        return night
    if is_pinned_so(night.playlist.brief, night.participant.study):
        retry_playlist(night.playlist)
    else:
        renew_night(night, participant_actor(participant), "renderer")
    return night


@transaction.atomic
def serve_tonight(*, participant: Participant) -> PlaylistAssignment:
    """Return what the participant hears tonight: their own mix, or at bedtime one of the pool.

    What they have to wait for is made before what was only prepared ahead.
    Raises NotInTreatment, or NoMusicInThisArm for the arm with lessons.
    """
    night = ask_for_night(participant, tonight(participant), participant_actor(participant))
    night = let_pool_stand_in(put_replacement(night))
    hurry_playlist(night.playlist)
    return night


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
            renew_night(night, actor, because)
            n_renewed += 1
    return n_renewed


@transaction.atomic
def cancel_nights(*, participant: Participant) -> None:
    """Cancel every mix of this participant that is not finished yet."""
    nights = PlaylistAssignment.objects.filter(participant=participant)
    for night in nights.select_related("playlist", "replacement"):
        drop_mix(night.playlist)
        drop_mix(night.replacement)


@transaction.atomic
def assign_mix(
    *, participant: Participant, playlist: Playlist, actor: Actor = SYSTEM
) -> PlaylistAssignment:
    """Give the participant a finished mix of their own arm's composer for tonight.

    For the demonstration, whose people share a few mixes.
    """
    participant, arm = lock_listener(participant)
    if playlist.brief["composer"] != arm.composer or playlist.state != PlaylistState.READY:
        raise NightUnknown
    night_on = tonight(participant)
    return night_on_date(participant, night_on) or assign_night(
        participant, night_on, playlist, actor
    )
