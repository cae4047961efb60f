import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from queue import Empty
from uuid import uuid4

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone

from generator.engine.brief import Brief, RendererPin
from generator.exceptions import PlaylistIsFinal, PlaylistNotRetryable
from generator.models.playlist import MAX_ATTEMPTS, FailureCode, Playlist, PlaylistState
from generator.services.requesting import (
    cancel_playlist,
    hurry_playlist,
    request_playlist,
    retry_playlist,
    sweep,
    take_back_from,
    wake,
)
from tests.generator.quick import brief

pytestmark = pytest.mark.django_db


def a_playlist(**values: object) -> Playlist:
    defaults = {"key": uuid4().hex, "brief": {}, "requested_at": timezone.now()}
    return Playlist.objects.create(**defaults | values)


def in_work(*, silent_s: float = 0.0, **values: object) -> Playlist:
    """A playlist that a worker holds, whose lease ran out `silent_s` seconds ago."""
    now = timezone.now()
    held = {
        "state": PlaylistState.RENDERING,
        "attempt": 1,
        "worker": "w1@here",
        "lease": uuid4(),
        "lease_until": now - timedelta(seconds=silent_s) if silent_s else now + timedelta(hours=1),
        "started_at": now,
        "progress": 0.4,
    }
    return a_playlist(**held | values)


def test_asking_twice_with_one_key_is_one_job_and_the_first_brief_stands():
    first = request_playlist(brief=brief(seed=1), key="a night")
    second = request_playlist(brief=brief(seed=2), key="a night")
    assert second == first
    assert Playlist.objects.count() == 1
    assert second.brief["seed"] == 1


def test_the_stored_brief_reads_back_as_it_was_asked_for():
    asked = brief(seed=2**63 - 1)
    stored = request_playlist(brief=asked, key="a night")
    stored.refresh_from_db()
    text = Playlist.objects.values_list("brief", flat=True).get(pk=stored.pk)
    assert Brief.from_json(json.dumps(text)) == asked


def test_a_worker_is_told_once_the_row_is_safe(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        playlist = request_playlist(brief=brief(), key="a night")
        playlist.refresh_from_db()
        assert playlist.woken_at is None
    playlist.refresh_from_db()
    assert playlist.woken_at is not None


def test_asking_again_does_not_tell_the_workers_again(django_capture_on_commit_callbacks):
    request_playlist(brief=brief(), key="a night")
    with django_capture_on_commit_callbacks() as calls:
        request_playlist(brief=brief(), key="a night")
    assert calls == []


def test_a_playlist_is_hurried_once_however_often_its_page_is_looked_at(
    django_assert_num_queries,
):
    playlist = hurry_playlist(a_playlist(wanted_by=timezone.now() + timedelta(days=1)))
    since = playlist.awaited_since
    assert timezone.now() - since < timedelta(seconds=5)
    with django_assert_num_queries(0):
        hurry_playlist(playlist)
    # Another look, begun before the first one was over, comes too late as well.
    stale = Playlist.objects.get(pk=playlist.pk)
    stale.awaited_since = None
    assert hurry_playlist(stale).awaited_since == since


def test_what_is_in_work_or_final_cannot_be_hurried(django_assert_num_queries):
    ready = a_playlist(state=PlaylistState.READY, finished_at=timezone.now())
    for playlist in (in_work(), ready):
        with django_assert_num_queries(0):
            assert hurry_playlist(playlist).awaited_since is None
        # A page that read the row just before a worker took it changes nothing either.
        stale = Playlist.objects.get(pk=playlist.pk)
        stale.state = PlaylistState.QUEUED
        hurry_playlist(stale)
        assert (stale.state, stale.awaited_since) == (playlist.state, None)


@pytest.mark.usefixtures("broker_is_down")
def test_a_broker_that_is_down_costs_the_page_nothing(django_capture_on_commit_callbacks):
    wake(a_playlist())  # the first one loads the client library
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        playlist = request_playlist(brief=brief(), key="a night")
    # Left to itself, publishing sleeps for six seconds between its tries.
    assert time.monotonic() - began < 4.0
    playlist.refresh_from_db()
    assert (playlist.state, playlist.woken_at) == (PlaylistState.QUEUED, None)


@pytest.mark.usefixtures("broker_is_down")
def test_the_sweep_gives_up_after_the_first_call_that_fails():
    for _ in range(3):
        a_playlist()
    assert sweep().n_woken == 0
    assert Playlist.objects.filter(woken_at=None).count() == 3


def test_the_sweep_calls_for_rows_that_nobody_was_told_of():
    never, long_ago = a_playlist(), a_playlist(woken_at=timezone.now() - timedelta(seconds=61))
    a_playlist(woken_at=timezone.now() - timedelta(seconds=5))
    assert sweep().n_woken == 2
    assert sweep().n_woken == 0
    for playlist in (never, long_ago):
        playlist.refresh_from_db()
        assert timezone.now() - playlist.woken_at < timedelta(seconds=5)


def test_how_soon_the_sweep_calls_again_is_a_setting(settings):
    settings.NOCTURNE_RESEND_S = 2
    a_playlist(woken_at=timezone.now() - timedelta(seconds=3))
    assert sweep().n_woken == 1


def test_the_sweep_leaves_rows_alone_that_rest_after_a_failure():
    a_playlist(attempt=1, not_before=timezone.now() + timedelta(seconds=30))
    assert sweep().n_woken == 0


def test_the_sweep_takes_a_silent_workers_row_back_and_lets_it_rest():
    playlist = in_work(silent_s=1)
    assert sweep().n_expired == 1
    playlist.refresh_from_db()
    assert playlist.state == PlaylistState.QUEUED
    assert playlist.lease is None
    assert playlist.not_before > timezone.now()
    assert playlist.failure_code == FailureCode.WORKER_LOST


def test_a_second_attempt_rests_longer_than_the_first():
    first, second = in_work(silent_s=1, attempt=1), in_work(silent_s=1, attempt=2)
    sweep()
    first.refresh_from_db()
    second.refresh_from_db()
    assert second.not_before > first.not_before


def test_after_the_last_attempt_a_silent_workers_row_has_failed():
    playlist = in_work(silent_s=1, attempt=MAX_ATTEMPTS)
    sweep()
    playlist.refresh_from_db()
    assert playlist.state == PlaylistState.FAILED
    assert playlist.finished_at is not None
    assert playlist.failure_sentence == "The worker stopped answering in the middle of the render."


def test_the_sweep_leaves_a_worker_alone_whose_lease_holds():
    playlist = in_work()
    assert sweep().n_expired == 0
    playlist.refresh_from_db()
    assert playlist.state == PlaylistState.RENDERING


def test_a_row_cancelled_while_its_worker_died_ends_cancelled():
    playlist = in_work(silent_s=1, cancel_requested=True)
    sweep()
    playlist.refresh_from_db()
    assert (playlist.state, playlist.failure_code) == (PlaylistState.CANCELLED, "")


def test_a_restarted_worker_gives_its_earlier_rows_back_at_once():
    own, others = in_work(worker="w1@here"), in_work(worker="w2@here")
    assert take_back_from(worker="w1@here") == 1
    own.refresh_from_db()
    others.refresh_from_db()
    assert own.state == PlaylistState.QUEUED
    assert others.state == PlaylistState.RENDERING


def test_what_waits_is_cancelled_at_once():
    playlist = cancel_playlist(a_playlist())
    assert playlist.state == PlaylistState.CANCELLED
    assert playlist.finished_at is not None


def test_what_is_in_work_is_asked_to_stop():
    playlist = cancel_playlist(in_work())
    assert playlist.state == PlaylistState.RENDERING
    assert playlist.cancel_requested


def test_what_is_finished_cannot_be_cancelled():
    playlist = a_playlist(state=PlaylistState.FAILED, finished_at=timezone.now())
    with pytest.raises(PlaylistIsFinal, match="which is failed"):
        cancel_playlist(playlist)


def test_a_retry_starts_with_all_attempts_before_it():
    playlist = a_playlist(
        state=PlaylistState.FAILED,
        finished_at=timezone.now(),
        attempt=3,
        failure_code=FailureCode.SYNTHESIS,
        failure="too loud",
    )
    retry_playlist(playlist)
    assert playlist.state == PlaylistState.QUEUED
    assert (playlist.attempt, playlist.failure, playlist.finished_at) == (0, "", None)


def test_a_retry_of_what_was_cancelled_forgets_the_cancellation():
    playlist = retry_playlist(cancel_playlist(a_playlist()))
    assert not playlist.cancel_requested


@pytest.mark.parametrize("make", [a_playlist, in_work])
def test_what_is_under_way_cannot_be_retried(make):
    with pytest.raises(PlaylistNotRetryable):
        retry_playlist(make())


def test_wake_says_whether_the_broker_took_the_call():
    assert wake(a_playlist())


def test_what_is_pinned_to_a_gpu_is_told_to_those_who_have_one():
    pin = RendererPin("built-in", "2", "sleep/v1", 220_500, device="cuda")
    on_a_gpu = request_playlist(brief=replace(brief(), pin=pin), key="on a GPU")
    anywhere = request_playlist(brief=brief(), key="anywhere")
    for playlist, queue in ((on_a_gpu, "gpu"), (anywhere, "cpu")):
        assert wake(playlist)
        with current_app.connection_for_read() as connection:
            told = []
            calls = connection.SimpleQueue(queue)
            with suppress(Empty):
                while True:
                    told.append(calls.get(block=False).payload[0])
        assert [str(playlist.pk)] in told


@pytest.mark.usefixtures("broker_is_down")
def test_wake_says_when_the_broker_is_down():
    assert not wake(a_playlist())


@pytest.mark.parametrize(
    "impossible",
    [
        {"state": PlaylistState.RENDERING},
        {"state": PlaylistState.QUEUED, "lease": uuid4(), "lease_until": timezone.now()},
        {"state": PlaylistState.READY},
        {"progress": 1.5},
    ],
)
def test_the_database_refuses_rows_that_make_no_sense(impossible):
    with pytest.raises(IntegrityError), transaction.atomic():
        a_playlist(**impossible)


def test_asking_for_music_loads_neither_torch_nor_the_tasks():
    program = (
        "import sys, django; django.setup(); import django.urls;"
        "django.urls.get_resolver().url_patterns;"
        "import generator.services.requesting, generator.views, generator.admin;"
        "print(sorted({'torch', 'generator.tasks'} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert finished.stdout.strip() == "[]"
