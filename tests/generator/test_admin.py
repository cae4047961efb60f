from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.models.playlist import (
    FailureCode,
    Playlist,
    PlaylistState,
    Track,
    WorkerHeartbeat,
)
from generator.services.rendering import render_next
from generator.services.requesting import request_playlist
from studies.models.user import User
from tests.generator.quick import brief, quick_render

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in with a second factor."""
    user = User.objects.create_superuser("ada", password=None)
    TOTP.activate(user, generate_totp_secret())
    client.force_login(user)
    return client


@pytest.fixture
def track(nights: Path) -> Track:
    request_playlist(brief=brief(), key="a night")
    track = render_next(worker="w1@here", render=quick_render).track
    assert (nights / track.audio_name).exists()
    return track


def failed(**values: object) -> Playlist:
    defaults = {
        "key": uuid4().hex,
        "brief": {"composer": "markov"},
        "requested_at": timezone.now(),
        "state": PlaylistState.FAILED,
        "finished_at": timezone.now(),
        "failure_code": FailureCode.CHECKPOINT,
        "failure": "CheckpointError: release markov is damaged",
    }
    return Playlist.objects.create(**defaults | values)


def page(client: Client, kind: str, row: object = None) -> str:
    name = f"admin:generator_{kind}_{'changelist' if row is None else 'change'}"
    answer = client.get(reverse(name, args=[] if row is None else [row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def act(client: Client, action: str, playlist: Playlist) -> str:
    answer = client.post(
        reverse("admin:generator_playlist_changelist"),
        {"action": action, "_selected_action": [str(playlist.pk)]},
        follow=True,
    )
    playlist.refresh_from_db()
    return answer.content.decode()


def test_the_queue_shows_state_age_attempts_and_the_reason_of_a_failure(administrator):
    playlist = failed(attempt=3)
    shown = page(administrator, "playlist")
    assert str(playlist.pk) in shown
    assert "release file is missing or damaged" in shown


def test_the_front_page_has_a_button_that_asks_again(administrator):
    playlist = failed(attempt=3)
    front = administrator.get(reverse("admin:index")).content.decode()
    form = front[front.index('name="action" value="retry"') :]
    assert f'name="_selected_action" value="{playlist.pk}"' in form
    act(administrator, "retry", playlist)
    assert playlist.state == PlaylistState.QUEUED


def test_the_front_page_tells_what_is_in_work_and_has_a_button_that_cancels_it(administrator):
    now = timezone.now()
    playlist = failed(
        state=PlaylistState.RENDERING,
        finished_at=None,
        failure_code="",
        progress=0.5,
        started_at=now - timedelta(minutes=10, seconds=30),
        worker="w1@here",
        lease=uuid4(),
        lease_until=now + timedelta(minutes=1),
    )
    front = administrator.get(reverse("admin:index")).content.decode()
    row = front[front.index("Time left") :].split("</tr>")[1]
    assert [text in row for text in ("Rendering", "50 %", "10 minutes", "w1@here")] == [True] * 4
    assert f'name="_selected_action" value="{playlist.pk}"' in row
    act(administrator, "cancel", playlist)
    assert playlist.cancel_requested


def test_what_waits_for_another_worker_says_so_and_why(administrator):
    playlist = request_playlist(brief=brief(), key="a night")
    Playlist.objects.update(refusal="w1@here: the pinned renderer was expected, got another")
    assert "Waits for a worker that has the study" in page(administrator, "playlist")
    assert "got another" in page(administrator, "playlist", playlist)
    assert "Wait for the study" in administrator.get(reverse("admin:index")).content.decode()


def test_no_page_tells_who_composed(administrator, track):
    playlist = failed()
    Track.objects.update(composer_release="markov-0123456789ab")
    for shown in (
        page(administrator, "playlist"),
        page(administrator, "playlist", playlist),
        page(administrator, "track"),
        page(administrator, "track", track),
    ):
        assert "markov" not in shown.lower()


def test_a_failed_playlist_can_be_retried(administrator):
    playlist = failed()
    assert "1 playlist waits again." in act(administrator, "retry", playlist)
    assert playlist.state == PlaylistState.QUEUED


def test_a_waiting_playlist_can_be_cancelled(administrator):
    playlist = request_playlist(brief=brief(), key="a night")
    assert "1 playlist is cancelled." in act(administrator, "cancel", playlist)
    assert playlist.state == PlaylistState.CANCELLED


def test_a_finished_playlist_is_neither_cancelled_nor_retried(administrator, track):
    for action, refusal in (("cancel", "nothing left to cancel"), ("retry", "request another one")):
        assert refusal in act(administrator, action, track.playlist)
        assert track.playlist.state == PlaylistState.READY


def test_nothing_can_be_added_deleted_or_edited_by_hand(administrator, track):
    for kind in ("playlist", "track", "workerheartbeat"):
        assert administrator.get(reverse(f"admin:generator_{kind}_add")).status_code == 403
    for kind, row in (("playlist", track.playlist), ("track", track)):
        delete = reverse(f"admin:generator_{kind}_delete", args=[row.pk])
        assert administrator.post(delete, {"post": "yes"}).status_code == 403
    change = reverse("admin:generator_playlist_change", args=[track.playlist.pk])
    administrator.post(change, {"state": "failed", "key": "another"})
    track.playlist.refresh_from_db()
    assert (track.playlist.state, track.playlist.key) == (PlaylistState.READY, "a night")


def test_workers_show_what_they_do(administrator):
    now = timezone.now()
    WorkerHeartbeat.objects.create(
        name="w1@here", seen_at=now, started_at=now, device="cpu", queues="cpu"
    )
    shown = page(administrator, "workerheartbeat")
    assert "w1@here" in shown
    assert "Idle" in shown
    assert "0 s ago" in shown


def test_the_measured_figures_of_a_track_are_shown(administrator, track):
    shown = page(administrator, "track", track)
    assert "-24" in shown
    assert track.audio_sha256 in shown
