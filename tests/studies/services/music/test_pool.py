from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from generator.models.playlist import FailureCode, Playlist, PlaylistState
from studies import clock
from studies.models.audit import AuditEntry
from studies.models.listening import PlaylistAssignment, PoolMix
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_of
from studies.services.music.playlists import coverage_tonight, serve_tonight
from studies.services.music.pool import (
    FIRST_REST,
    LONGEST_REST,
    fill_pools,
    mix_for,
    retry_failed,
)
from studies.services.music.upkeep import request_due, settle_nights
from tests.factories import make_study
from tests.studies.services.evenings import make_ready, someone_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return someone_with(ArmKind.MUSIC)


def fill_and_render() -> None:
    fill_pools()
    for mix in PoolMix.objects.select_related("playlist"):
        if mix.playlist.state == PlaylistState.QUEUED:
            make_ready(mix.playlist)


def at(participant: Participant, hour: int) -> datetime:
    """Return today's hour where the participant lives."""
    here = clock.now().astimezone(ZoneInfo(participant.zone))
    return here.replace(hour=hour, minute=0)


def fail(night: PlaylistAssignment) -> None:
    Playlist.objects.filter(pk=night.playlist_id).update(
        state=PlaylistState.FAILED, finished_at=timezone.now()
    )


def test_every_music_arm_of_an_open_study_gets_the_same_pool_once() -> None:
    study = make_study()
    make_study(is_open=False)
    assert (fill_pools(), fill_pools()) == (6, 0)
    arms = set(study.arms.filter(kind=ArmKind.MUSIC))
    assert {mix.arm for mix in PoolMix.objects.all()} == arms
    briefs = [mix.playlist.brief for mix in PoolMix.objects.select_related("playlist")]
    by_arm = {brief["composer"]: [] for brief in briefs}
    for brief in briefs:
        alike = {k: v for k, v in brief.items() if k not in ("composer", "seed")}
        by_arm[brief["composer"]].append(alike)
    assert len(by_arm) == 3
    lstm, *others = by_arm.values()
    assert all(other == lstm for other in others)
    assert {brief["minutes"] for brief in briefs} == {study.plan.night_minutes}


def test_nights_are_made_before_the_pool(participant) -> None:
    fill_pools()
    request_due()
    order = list(Playlist.objects.due(timezone.now()))
    pooled = set(PoolMix.objects.values_list("playlist", flat=True))
    tonights = participant.nights.order_by("night_on").first().playlist
    assert order.index(tonights) < min(order.index(p) for p in order if p.pk in pooled)


def test_nights_are_made_before_the_pool_in_a_demonstration_whose_clock_was_moved_too() -> None:
    with clock.at(clock.now() + timedelta(days=56)):
        participant = someone_with(ArmKind.MUSIC)
        fill_pools()
        request_due()
        first = Playlist.objects.due(timezone.now()).first()
        assert participant.nights.filter(playlist=first).exists()


def test_a_failed_night_gets_a_mix_of_the_same_arm_at_any_hour(participant) -> None:
    fill_and_render()
    with clock.at(at(participant, 15)):
        fail(serve_tonight(participant=participant))
        night = serve_tonight(participant=participant)
    assert night.is_from_pool
    assert night.playlist.state == PlaylistState.READY
    assert night.playlist.brief["composer"] == arm_of(participant).composer


def test_a_late_night_waits_until_bedtime_and_no_longer(participant) -> None:
    fill_and_render()
    with clock.at(at(participant, 20)):
        own = serve_tonight(participant=participant)
        assert not own.is_from_pool
    with clock.at(at(participant, 21)):
        assert serve_tonight(participant=participant).is_from_pool
    own.playlist.refresh_from_db()
    assert own.playlist.state == PlaylistState.CANCELLED


def test_a_night_that_is_ready_is_never_exchanged(participant) -> None:
    fill_and_render()
    with clock.at(at(participant, 15)):
        make_ready(serve_tonight(participant=participant).playlist)
    with clock.at(at(participant, 23)):
        settle_nights()
        assert not serve_tonight(participant=participant).is_from_pool


def test_the_scheduler_does_it_for_those_who_do_not_open_the_page(participant) -> None:
    fill_and_render()
    with clock.at(at(participant, 15)):
        request_due()
        assert settle_nights() == 0
    with clock.at(at(participant, 22)):
        assert settle_nights() >= 1
        assert settle_nights() == 0
        assert coverage_tonight().n_ready == coverage_tonight().n_expected
        first, *later = participant.nights.order_by("night_on")
    assert first.is_from_pool
    assert not any(night.is_from_pool for night in later), "bedtime has come for tonight only"


def test_an_empty_pool_changes_nothing(participant) -> None:
    fill_pools()
    with clock.at(at(participant, 23)):
        night = serve_tonight(participant=participant)
        assert not night.is_from_pool
        assert night.playlist.state == PlaylistState.QUEUED


def test_the_pool_takes_turns_and_leaves_out_what_was_refused(participant) -> None:
    fill_and_render()
    had = []
    for day in range(3):
        with clock.at(at(participant, 23) + timedelta(days=day)):
            had.append(serve_tonight(participant=participant).playlist)
    assert had[0] != had[1]
    assert had[2] == had[0]


def test_after_the_length_has_changed_the_old_pool_stands_in_no_more(participant) -> None:
    fill_and_render()
    study = participant.study
    study.protocol["night_minutes"] = 2
    study.save(update_fields=["protocol"])
    assert mix_for(participant) is None
    assert fill_pools() == 6


def fail_pool(code: FailureCode, ago: timedelta) -> None:
    Playlist.objects.update(
        state=PlaylistState.FAILED, failure_code=code, finished_at=timezone.now() - ago
    )


def test_a_failed_mix_of_the_pool_is_asked_for_again_after_a_rest_that_doubles() -> None:
    make_study()
    fill_pools()
    keys = set(Playlist.objects.values_list("key", flat=True))
    fail_pool(FailureCode.DISK_FULL, FIRST_REST / 2)
    assert retry_failed() == 0
    fail_pool(FailureCode.DISK_FULL, FIRST_REST)
    assert (retry_failed(), retry_failed()) == (6, 0)
    assert set(Playlist.objects.values_list("key", "state")) == {
        (key, PlaylistState.QUEUED) for key in keys
    }
    fail_pool(FailureCode.DISK_FULL, FIRST_REST)
    assert retry_failed() == 0
    fail_pool(FailureCode.DISK_FULL, 2 * FIRST_REST)
    assert retry_failed() == 6
    PoolMix.objects.update(n_retries=30)
    fail_pool(FailureCode.DISK_FULL, LONGEST_REST)
    assert retry_failed() == 6


def test_a_mix_that_failed_its_quality_control_is_drawn_with_another_seed() -> None:
    make_study()
    fill_pools()
    before = dict(PoolMix.objects.values_list("pk", "playlist__brief__seed"))
    fail_pool(FailureCode.QUALITY, FIRST_REST)
    assert retry_failed() == 6
    for mix in PoolMix.objects.select_related("playlist"):
        assert mix.playlist.state == PlaylistState.QUEUED
        assert mix.playlist.brief["seed"] != before[mix.pk]
    assert AuditEntry.objects.filter(action="retry_pool_mix").count() == 6


def test_what_an_administrator_cancelled_is_not_asked_for_again() -> None:
    make_study()
    fill_pools()
    Playlist.objects.update(state=PlaylistState.CANCELLED, finished_at=timezone.now() - FIRST_REST)
    assert retry_failed() == 0


def test_neither_key_nor_trail_tells_the_arm_or_the_mix(participant) -> None:
    fill_and_render()
    with clock.at(at(participant, 23)):
        night = serve_tonight(participant=participant)
    arm = arm_of(participant)
    for entry in AuditEntry.objects.filter(action__in=("fill_pool", "change_night")):
        told = f"{entry.old} {entry.new} {entry.subject_id}"
        for secret in (arm.code, arm.composer, str(night.playlist_id)):
            assert secret not in told
    for mix in PoolMix.objects.select_related("playlist", "arm"):
        assert mix.arm.composer not in mix.playlist.key
        assert mix.arm.code not in str(mix)
