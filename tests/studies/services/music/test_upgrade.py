"""A build with other composers comes while a study is open: from refusal to music again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from generator.models.playlist import FailureCode, Master, Playlist, PlaylistState
from generator.services.rendering import claim, refusal_of
from generator.services.requesting import take_back_from
from studies import clock
from studies.exceptions import ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.listening import PlaylistAssignment, PoolMix
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.music.playlists import request_tonight
from studies.services.music.pool import fill_pools, renew_stale_mixes
from studies.services.music.preparing import prepare_nights
from studies.services.music.renderer import are_composers_changed, pin_composers
from studies.services.music.upkeep import renew_stale_nights, request_due
from studies.services.trail.audit import SYSTEM
from tests.studies.services.evenings import make_ready, someone_with, upgrade

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    """Return somebody whose first night is ready, the others waiting, and so the pool."""
    participant = someone_with(ArmKind.MUSIC)
    request_due()
    fill_pools()
    make_ready(participant.nights.order_by("night_on").first().playlist)
    make_ready(PoolMix.objects.first().playlist)
    return participant


def waiting() -> list[Playlist]:
    return list(Playlist.objects.filter(state=PlaylistState.QUEUED))


def accept(participant: Participant) -> None:
    pin_composers(study=participant.study, actor=SYSTEM, reason="the upgrade of November")


def test_nothing_is_made_until_the_new_composers_are_fixed_for_a_reason(
    participant, monkeypatch
) -> None:
    n_waiting = len(waiting())
    upgrade(monkeypatch)
    prepare_nights()
    assert [bool(refusal_of(playlist.brief)) for playlist in waiting()] == [True] * n_waiting
    with pytest.raises(ReasonMissing):
        pin_composers(study=participant.study, actor=SYSTEM, reason=" ")
    accept(participant)
    assert not are_composers_changed(participant.study)
    prepare_nights()
    assert [refusal_of(playlist.brief) for playlist in waiting()] == [""] * n_waiting
    entry = AuditEntry.objects.filter(action="pin_renderer").latest("number")
    assert entry.new["composers"] != entry.old["composers"]
    assert {name for name in entry.new if entry.new[name] != entry.old[name]} == {"composers"}


def test_what_a_stopped_worker_gave_back_is_asked_for_anew_too(participant, monkeypatch) -> None:
    n_waiting = len(waiting())
    night, mix = participant.nights.order_by("night_on")[1], PoolMix.objects.last()
    claim(worker="w1@here", playlist_id=night.playlist_id)
    claim(worker="w1@here", playlist_id=mix.playlist_id)
    take_back_from(worker="w1@here")
    upgrade(monkeypatch)
    accept(participant)
    prepare_nights()
    assert [refusal_of(playlist.brief) for playlist in waiting()] == [""] * n_waiting


def test_what_failed_under_the_old_pin_is_asked_for_under_the_new_one(
    participant, monkeypatch
) -> None:
    tonight = participant.nights.order_by("night_on").first()
    ago = timezone.now() - timedelta(days=1)
    Playlist.objects.filter(pk=tonight.playlist_id).update(state=PlaylistState.FAILED)
    Playlist.objects.filter(state=PlaylistState.QUEUED).update(
        state=PlaylistState.FAILED, failure_code=FailureCode.DISK_FULL, finished_at=ago
    )
    upgrade(monkeypatch)
    accept(participant)
    again = request_tonight(participant=Participant.objects.get(pk=participant.pk))
    assert again.playlist.state == PlaylistState.QUEUED
    prepare_nights()
    assert len(waiting()) > 1
    assert {refusal_of(playlist.brief) for playlist in waiting()} == {""}


def test_what_is_made_or_in_work_stays_as_it_was_asked_for(participant, monkeypatch) -> None:
    first, second, third = participant.nights.order_by("night_on")
    claim(worker="w1@here", playlist_id=second.playlist_id)
    made = PoolMix.objects.first()
    upgrade(monkeypatch)
    accept(participant)
    prepare_nights()
    for night in (first, second):
        assert PlaylistAssignment.objects.get(pk=night.pk).playlist_id == night.playlist_id
    assert PoolMix.objects.get(pk=made.pk).playlist_id == made.playlist_id
    assert PlaylistAssignment.objects.get(pk=third.pk).playlist_id != third.playlist_id
    assert AuditEntry.objects.get(action="change_night").new["because"] == "renderer"


def test_what_only_waits_for_its_encoder_stays(participant, monkeypatch) -> None:
    for playlist in waiting():
        Master.objects.create(
            playlist=playlist, lease=playlist.pk, facts={}, mastered_at=clock.now()
        )
    upgrade(monkeypatch)
    accept(participant)
    assert (renew_stale_nights(), renew_stale_mixes()) == (0, 0)


def test_the_same_composers_again_ask_nobody_anew(participant) -> None:
    accept(participant)
    assert (renew_stale_nights(), renew_stale_mixes()) == (0, 0)
