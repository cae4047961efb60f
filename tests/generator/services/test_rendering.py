import errno
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from generator.engine.audio.refusals import PinUnmet, UnfitMusic
from generator.engine.audio.renderers import BuiltInRenderer
from generator.engine.brief import Brief, Rendering
from generator.engine.errors import CheckpointError, RenderCancelled, SynthesisError
from generator.engine.pipeline import COMPOSING, RENDERING, Progress
from generator.models.playlist import (
    MAX_ATTEMPTS,
    FailureCode,
    Playlist,
    PlaylistState,
    Track,
    WorkerHeartbeat,
)
from generator.services import rendering
from generator.services.rendering import (
    DeadlinePassed,
    Tenure,
    claim,
    deadline_s,
    refusal_of,
    render_next,
    render_playlist,
)
from generator.services.requesting import cancel_playlist, hurry_playlist, request_playlist, sweep
from tests.generator.quick import brief, quick_render

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nights")]


@pytest.fixture
def playlist() -> Playlist:
    return request_playlist(brief=brief(), key="a night")


@pytest.fixture
def claimed(playlist: Playlist) -> Playlist:
    return claim(worker="w1@here", playlist_id=playlist.pk)


def with_a_pause(pause: Callable[[], object]) -> rendering.Renderer:
    """Return the quick renderer, with something happening between its files and publication."""

    def render(brief: Brief, *, directory: Path, stem: str, progress: Progress | None) -> Rendering:
        done = quick_render(brief, directory=directory, stem=stem, progress=progress)
        pause()
        return done

    return render


def failing_with(error: Exception) -> rendering.Renderer:
    """Return a renderer that leaves an unfinished file and fails."""

    def render(
        brief: Brief,
        *,
        directory: Path,
        stem: str,
        progress: Progress | None,
    ) -> Rendering:
        (directory / f"{stem}.part.pcm").write_bytes(b"half")
        progress(0.2, RENDERING)
        raise error

    return render


def let_the_lease_run_out(playlist: Playlist) -> None:
    Playlist.objects.filter(pk=playlist.pk).update(lease_until=timezone.now() - timedelta(1))


def test_a_playlist_becomes_one_track_with_its_files_and_figures(playlist, nights):
    done = render_next(worker="w1@here", playlist_id=playlist.pk, render=quick_render)
    assert (done.state, done.progress, done.lease) == (PlaylistState.READY, 1.0, None)
    assert (done.attempt, done.worker) == (1, "w1@here")
    track = done.track
    assert (track.duration_s, track.loudness_lufs, track.n_notes) == (30.0, -24.0, 1)
    assert {path.name for path in nights.iterdir()} == {track.audio_name, track.midi_name}


def test_a_playlist_is_claimed_once(playlist):
    assert claim(worker="w1@here", playlist_id=playlist.pk) == playlist
    assert claim(worker="w2@here", playlist_id=playlist.pk) is None


def pinned(**changes: object) -> Brief:
    """Return a brief whose study has fixed the built-in voices, but for some changes."""
    return replace(brief(), pin=replace(BuiltInRenderer().pin, **changes))


def test_what_is_wanted_first_is_made_first():
    now = timezone.now()
    for hours, key in ((48, "in two nights"), (24, "tomorrow"), (2, "tonight")):
        request_playlist(brief=brief(), key=key, wanted_by=now + timedelta(hours=hours))
    asked_now = request_playlist(brief=brief(), key="somebody waits before a page")
    order = [claim(worker="w1@here").key for _ in range(4)]
    assert order == [asked_now.key, "tonight", "tomorrow", "in two nights"]


def test_whoever_waits_before_a_page_goes_first_in_the_order_in_which_they_came():
    now = timezone.now()
    for hours, key in ((-3, "overdue"), (2, "tonight"), (2, "hers"), (24, "tomorrow, awaited")):
        request_playlist(brief=brief(), key=key, wanted_by=now + timedelta(hours=hours))
    for key in ("hers", "tomorrow, awaited", "hers"):
        hurry_playlist(Playlist.objects.get(key=key))
    order = [claim(worker="w1@here").key for _ in range(4)]
    assert order == ["hers", "tomorrow, awaited", "overdue", "tonight"]


def test_a_worker_leaves_what_it_cannot_render_as_pinned_to_another_and_says_why():
    for number in range(3):
        request_playlist(brief=pinned(version="0"), key=f"another renderer {number}")
    mine = request_playlist(brief=pinned(), key="this renderer")
    assert claim(worker="w1@here") == mine
    assert claim(worker="w1@here") is None
    left = Playlist.objects.get(key="another renderer 0")
    assert (left.state, left.attempt, left.worker) == (PlaylistState.QUEUED, 0, "")
    assert left.refusal.startswith("w1@here: the pinned renderer")


def test_a_worker_without_the_pinned_encoder_or_soundfont_or_gpu_or_engine_or_composers_refuses():
    for changes in (
        {"encoder": "ffmpeg 0.1"},
        {"renderer": "fluidsynth", "soundfont_sha256": "0" * 64},
        {"device": "another kind"},
        {"chunk_samples": 1},
        {"profile": "loud/v1"},
        {"engine": "int8 onnxruntime 0"},
        {"composers": "0-feed"},
    ):
        assert refusal_of(json.loads(pinned(**changes).to_json())), changes
    assert refusal_of(json.loads(pinned().to_json())) == ""
    assert refusal_of({}) == ""


def test_the_refusal_is_gone_once_a_worker_has_taken_it():
    waiting = request_playlist(brief=pinned(), key="a night")
    Playlist.objects.update(refusal="w1@here: it has no such SoundFont")
    render_next(worker="w2@here", render=quick_render)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.refusal) == (PlaylistState.READY, "")


def test_a_pin_that_cannot_be_read_fails_as_an_invalid_brief(playlist):
    Playlist.objects.update(brief={**playlist.brief, "pin": {"renderer": "of tomorrow"}})
    done = render_next(worker="w1@here", render=quick_render)
    assert (done.state, done.failure_code) == (PlaylistState.FAILED, FailureCode.BRIEF)


def test_file_names_tell_the_attempt_they_belong_to(playlist, nights):
    claimed = claim(worker="w1@here")
    render_playlist(claimed, render=quick_render)
    assert all(
        path.name.startswith(f"{playlist.pk.hex}-{claimed.lease.hex}.") for path in nights.iterdir()
    )


def test_a_late_message_is_harmless(playlist):
    render_next(worker="w1@here", playlist_id=playlist.pk, render=quick_render)
    assert render_next(worker="w1@here", playlist_id=playlist.pk, render=quick_render) is None
    assert Track.objects.count() == 1


def test_a_message_about_nothing_is_harmless():
    assert render_next(worker="w1@here", playlist_id=uuid4(), render=quick_render) is None


def test_a_late_message_makes_the_worker_take_the_oldest_that_waits(playlist):
    second = request_playlist(brief=brief(), key="second night")
    request_playlist(brief=brief(), key="third night")
    render_next(worker="w1@here", playlist_id=playlist.pk, render=quick_render)
    done = render_next(worker="w1@here", playlist_id=playlist.pk, render=quick_render)
    assert done == second


def test_a_row_that_rests_is_not_claimed(playlist):
    Playlist.objects.update(not_before=timezone.now() + timedelta(seconds=30))
    assert claim(worker="w1@here", playlist_id=playlist.pk) is None


def test_a_worker_that_fell_silent_publishes_nothing_and_leaves_no_file(playlist, nights):
    def another_worker_takes_over() -> None:
        let_the_lease_run_out(playlist)
        sweep()
        Playlist.objects.update(not_before=None)
        render_next(worker="w2@here", render=quick_render)

    first = claim(worker="w1@here")
    assert not render_playlist(first, render=with_a_pause(another_worker_takes_over))
    playlist.refresh_from_db()
    assert (playlist.state, playlist.worker, playlist.attempt) == (
        PlaylistState.READY,
        "w2@here",
        2,
    )
    track = Track.objects.get()
    assert {path.name for path in nights.iterdir()} == {track.audio_name, track.midi_name}


def test_a_worker_that_fell_silent_stops_at_its_next_report(claimed):
    report = Tenure(claimed, deadline_s=60)
    report(0.1, COMPOSING)
    let_the_lease_run_out(claimed)
    sweep()
    with pytest.raises(RenderCancelled, match="a lease that still holds was expected"):
        report(0.2, RENDERING)


def test_reports_are_heartbeats(claimed):
    let_the_lease_run_out(claimed)
    Tenure(claimed, deadline_s=60)(0.25, RENDERING)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.progress) == (PlaylistState.RENDERING, 0.25)
    assert claimed.lease_until > timezone.now()
    assert sweep().n_expired == 0


def test_reports_within_a_second_spare_the_database(claimed, django_assert_num_queries):
    report = Tenure(claimed, deadline_s=60)
    with django_assert_num_queries(1):
        for step in range(20):
            report(step / 100, COMPOSING)


@pytest.mark.parametrize(("reported", "kept"), [(-0.1, 0.0), (1.00001, 1.0)])
def test_progress_stays_between_0_and_1(claimed, reported, kept):
    Tenure(claimed, deadline_s=60)(reported, COMPOSING)
    claimed.refresh_from_db()
    assert claimed.progress == kept


def test_a_cancelled_render_stops_and_leaves_nothing(playlist, nights):
    def render(brief: Brief, *, directory: Path, stem: str, progress: Progress | None) -> Rendering:
        (directory / f"{stem}.part.pcm").write_bytes(b"half")
        cancel_playlist(playlist)
        progress(0.5, RENDERING)
        return quick_render(brief, directory=directory, stem=stem, progress=progress)

    done = render_next(worker="w1@here", render=render)
    assert (done.state, done.failure_code) == (PlaylistState.CANCELLED, "")
    assert list(nights.iterdir()) == []


def test_a_cancellation_after_the_last_report_still_counts(playlist, nights):
    render = with_a_pause(lambda: cancel_playlist(playlist))
    assert render_next(worker="w1@here", render=render).state == PlaylistState.CANCELLED
    assert not Track.objects.exists()
    assert list(nights.iterdir()) == []


@pytest.mark.usefixtures("playlist")
def test_a_failed_attempt_rests_and_the_third_is_the_last(nights):
    render = failing_with(SynthesisError("too loud"))
    for attempt in range(1, MAX_ATTEMPTS):
        done = render_next(worker="w1@here", render=render)
        assert (done.state, done.attempt) == (PlaylistState.QUEUED, attempt)
        assert done.not_before > timezone.now()
        assert render_next(worker="w1@here", render=render) is None
        Playlist.objects.update(not_before=None)
    done = render_next(worker="w1@here", render=render)
    assert (done.state, done.attempt) == (PlaylistState.FAILED, MAX_ATTEMPTS)
    assert done.failure == "SynthesisError: too loud"
    assert list(nights.iterdir()) == []


@pytest.mark.usefixtures("playlist")
def test_success_after_a_failure_leaves_no_trace_of_it():
    render_next(worker="w1@here", render=failing_with(SynthesisError("too loud")))
    Playlist.objects.update(not_before=None)
    done = render_next(worker="w1@here", render=quick_render)
    assert (done.state, done.failure_code, done.failure) == (PlaylistState.READY, "", "")


def disk_full() -> SynthesisError:
    error = SynthesisError("room was expected")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckpointError("missing"), FailureCode.CHECKPOINT),
        (SynthesisError("too loud"), FailureCode.SYNTHESIS),
        (PinUnmet("no such SoundFont"), FailureCode.PIN),
        (disk_full(), FailureCode.DISK_FULL),
        (OSError(errno.ENOSPC, "full"), FailureCode.DISK_FULL),
        (PermissionError(errno.EACCES, "denied"), FailureCode.STORAGE),
        (MemoryError(), FailureCode.MEMORY),
        (DeadlinePassed("late"), FailureCode.DEADLINE),
        (ZeroDivisionError("a bug"), FailureCode.UNEXPECTED),
    ],
)
@pytest.mark.usefixtures("playlist")
def test_every_failure_has_a_code_and_a_sentence(error, code):
    done = render_next(worker="w1@here", render=failing_with(error))
    assert done.failure_code == code
    assert done.failure_sentence.endswith(".")


@pytest.mark.usefixtures("playlist")
def test_music_that_fails_its_quality_control_in_every_draw_is_not_tried_again():
    rows = [{"item": "local_jump_lu", "value": 7.0, "limit": "<= 5", "passed": False}]
    done = render_next(worker="w1@here", render=failing_with(UnfitMusic(rows, 6)))
    assert (done.state, done.failure_code) == (PlaylistState.FAILED, FailureCode.QUALITY)
    assert "in 6 draws none: local_jump_lu <= 5, got 7.0" in done.failure


@pytest.mark.usefixtures("playlist")
def test_a_brief_that_nobody_can_read_fails_at_once():
    Playlist.objects.update(brief={"composer": "nobody"})
    done = render_next(worker="w1@here", render=quick_render)
    assert (done.state, done.attempt, done.failure_code) == (
        PlaylistState.FAILED,
        1,
        FailureCode.BRIEF,
    )


@pytest.mark.usefixtures("playlist")
def test_a_long_failure_is_cut_to_fit():
    done = render_next(worker="w1@here", render=failing_with(SynthesisError("x" * 2000)))
    assert len(done.failure) == Playlist.FAILURE_LENGTH


def test_a_render_that_takes_too_long_stops_at_its_next_report(claimed):
    with pytest.raises(DeadlinePassed, match="a render within 0 s was expected"):
        Tenure(claimed, deadline_s=0.0)(0.5, RENDERING)


def test_no_deadline_reaches_the_brokers_patience():
    longest = Brief(**{**vars(brief()), "minutes": 60.0})
    visibility_timeout_s = 7200  # therapy_site/settings.py, of Valkey and Redis
    assert deadline_s(longest) < visibility_timeout_s


def test_the_workers_row_says_what_it_works_on(playlist):
    now = timezone.now()
    WorkerHeartbeat.objects.create(
        name="w1@here", seen_at=now, started_at=now, device="cpu", queues="cpu"
    )
    seen = []

    def look() -> None:
        seen.append(WorkerHeartbeat.objects.get().playlist)

    render_next(worker="w1@here", render=with_a_pause(look))
    assert seen == [playlist]
    assert WorkerHeartbeat.objects.get().playlist is None


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_at_once_each_playlist_goes_to_one():
    n_playlists, n_workers = 6, 4
    for number in range(n_playlists):
        request_playlist(brief=brief(), key=f"night {number}")
    barrier = threading.Barrier(n_workers)
    done: list[Playlist] = []

    def work(name: str) -> None:
        barrier.wait()
        while (playlist := render_next(worker=name, render=quick_render)) is not None:
            done.append(playlist)
        connection.close()

    threads = [threading.Thread(target=work, args=[f"w{n}@here"]) for n in range(n_workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(str(p.pk) for p in done) == sorted(
        str(pk) for pk in Playlist.objects.values_list("pk", flat=True)
    )
    assert Track.objects.count() == n_playlists
    assert set(Playlist.objects.values_list("attempt", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_a_short_outage_of_the_database_does_not_stop_the_work(claimed, settings):
    report = Tenure(claimed, deadline_s=60)
    report(0.1, COMPOSING)
    table = Playlist._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO hidden")
    try:
        report(0.5, RENDERING)
        settings.NOCTURNE_LEASE_S = 0
        with pytest.raises(RenderCancelled, match="a database that answers was expected"):
            report(0.6, "checking")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE hidden RENAME TO {table}")
