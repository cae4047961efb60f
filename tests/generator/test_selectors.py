from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from generator.models.playlist import FailureCode, Playlist, PlaylistState, WorkerHeartbeat
from generator.selectors import (
    SILENT_AFTER_S,
    WorkerState,
    failures,
    playlist_progress,
    queue_depth,
    refusals,
    workers,
)

pytestmark = pytest.mark.django_db


def ago(seconds: float):
    return timezone.now() - timedelta(seconds=seconds)


def a_playlist(*, asked_s_ago: float = 0.0, **values: object) -> Playlist:
    defaults = {"key": uuid4().hex, "brief": {}, "requested_at": ago(asked_s_ago)}
    return Playlist.objects.create(**defaults | values)


def in_work(*, begun_s_ago: float, progress: float, **values: object) -> Playlist:
    held = {
        "state": PlaylistState.RENDERING,
        "lease": uuid4(),
        "lease_until": timezone.now() + timedelta(hours=1),
        "started_at": ago(begun_s_ago),
        "progress": progress,
    }
    return a_playlist(**held | values)


def finished(*, took_s: float) -> Playlist:
    return a_playlist(
        state=PlaylistState.READY, started_at=ago(100 + took_s), finished_at=ago(100), progress=1.0
    )


def a_worker(name: str = "w1@here", *, seen_s_ago: float = 0.0, **values: object):
    return WorkerHeartbeat.objects.create(
        name=name,
        seen_at=ago(seen_s_ago),
        started_at=ago(1000),
        device="cpu",
        queues="cpu",
        **values,
    )


def test_an_empty_queue_has_no_age():
    depth = queue_depth()
    assert (depth.n_waiting, depth.n_working, depth.n_failed) == (0, 0, 0)
    assert depth.oldest_age_s is None


def test_the_queue_counts_what_waits_works_and_failed_and_how_long_the_oldest_waits():
    a_playlist(asked_s_ago=90)
    a_playlist(asked_s_ago=10)
    in_work(begun_s_ago=5, progress=0.1, asked_s_ago=500)
    a_playlist(state=PlaylistState.FAILED, finished_at=ago(0))
    depth = queue_depth()
    assert (depth.n_waiting, depth.n_working, depth.n_failed) == (2, 1, 1)
    assert depth.oldest_age_s == pytest.approx(90, abs=5)


def test_a_worker_is_idle_working_or_silent():
    playlist = in_work(begun_s_ago=5, progress=0.1)
    a_worker("w1@here")
    a_worker("w2@here", playlist=playlist)
    a_worker("w3@here", playlist=playlist, seen_s_ago=SILENT_AFTER_S + 1)
    assert [row.state for row in workers()] == [
        WorkerState.IDLE,
        WorkerState.BUSY,
        WorkerState.SILENT,
    ]
    assert workers()[2].age_s == pytest.approx(SILENT_AFTER_S + 1, abs=5)


def test_a_workers_speed_is_that_of_its_latest_mixes():
    for took_s, name in ((10, "w1@here"), (30, "w1@here"), (1, "w2@here"), (20, "w1@here")):
        a_playlist(
            brief={"minutes": 2.0},
            state=PlaylistState.READY,
            started_at=ago(100 + took_s),
            finished_at=ago(100),
            worker=name,
        )
    a_worker("w1@here")
    a_worker("w3@here")
    speeds = [row.times_real_time for row in workers()]
    assert speeds == [pytest.approx(6.0, rel=0.01), None]


def test_the_queue_counts_what_no_worker_here_could_take():
    a_playlist(refusal="w1@here: another SoundFont")
    a_playlist()
    assert (queue_depth().n_waiting, queue_depth().n_refused) == (2, 1)


def test_failures_come_latest_first_with_their_sentence():
    for seconds, code in ((50, FailureCode.DISK_FULL), (5, FailureCode.DEADLINE)):
        a_playlist(
            state=PlaylistState.FAILED, finished_at=ago(seconds), failure_code=code, attempt=3
        )
    a_playlist(failure_code=FailureCode.MEMORY)
    rows = failures()
    assert [row.code for row in rows] == [FailureCode.DEADLINE, FailureCode.DISK_FULL]
    assert rows[0].sentence == "The render took longer than allowed."
    assert failures(limit=1) == rows[:1]


def test_progress_of_what_is_in_work_is_extrapolated():
    shown = playlist_progress(in_work(begun_s_ago=30, progress=0.25))
    assert (shown["state"], shown["progress"], shown["is_final"]) == ("rendering", 0.25, False)
    assert shown["remaining_s"] == pytest.approx(90, abs=10)


def test_what_remains_is_unknown_before_anything_was_ever_rendered():
    assert playlist_progress(a_playlist())["remaining_s"] is None


def test_what_waits_takes_as_long_as_usual_for_each_before_it():
    for took_s in (50, 60, 1000):
        finished(took_s=took_s)
    in_work(begun_s_ago=1, progress=0.0, asked_s_ago=20)
    a_playlist(asked_s_ago=10)
    mine = a_playlist(asked_s_ago=5)
    a_playlist(asked_s_ago=1)
    assert playlist_progress(mine)["remaining_s"] == 180
    for number in range(2):
        a_worker(f"w{number}@here")
    a_worker("dead@here", seen_s_ago=1000)
    assert playlist_progress(mine)["remaining_s"] == 120


def test_what_is_wanted_later_is_not_ahead_and_what_is_half_done_counts_half():
    finished(took_s=60)
    in_work(begun_s_ago=1, progress=0.5)
    a_playlist(asked_s_ago=100, wanted_by=ago(-3600))
    mine = a_playlist(asked_s_ago=5)
    shown = playlist_progress(mine)
    assert (shown["n_ahead"], shown["remaining_s"]) == (1, 90)
    prepared = Playlist.objects.get(wanted_by__isnull=False)
    assert playlist_progress(prepared)["n_ahead"] == 2


def test_what_a_listener_waits_for_is_ahead_of_all_that_was_only_prepared():
    a_playlist(asked_s_ago=100)
    first = a_playlist(asked_s_ago=5, awaited_since=ago(4))
    second = a_playlist(asked_s_ago=90, awaited_since=ago(3))
    prepared = a_playlist(asked_s_ago=50)
    shown = [playlist_progress(row)["n_ahead"] for row in (first, second, prepared)]
    assert shown == [0, 1, 3]


def test_a_longer_mix_takes_longer():
    a_playlist(
        brief={"minutes": 2.0},
        state=PlaylistState.READY,
        started_at=ago(20),
        finished_at=ago(10),
        progress=1.0,
    )
    a_playlist(brief={"minutes": 45.0}, asked_s_ago=9)
    mine = a_playlist(brief={"minutes": 15.0}, asked_s_ago=5)
    assert playlist_progress(mine)["remaining_s"] == 5 * (15 + 45)


def test_what_no_worker_here_can_take_is_told_with_its_reason():
    a_playlist(refusal="w1@here: it has no such SoundFont")
    a_playlist(refusal="an old one", state=PlaylistState.FAILED, finished_at=ago(0))
    a_playlist()
    (row,) = refusals()
    assert row.sentence == "w1@here: it has no such SoundFont"


def test_nothing_remains_of_what_is_finished():
    shown = playlist_progress(finished(took_s=10))
    assert (shown["is_final"], shown["remaining_s"]) == (True, 0)
