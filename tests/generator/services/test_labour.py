from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from generator.engine.audio.mastered import Mastered
from generator.engine.audio.renderers import BuiltInRenderer
from generator.engine.brief import Brief, Rendering
from generator.engine.pipeline import RENDERING, Progress
from generator.models.playlist import Master, Playlist, PlaylistState, WorkerHeartbeat
from generator.selectors import queue_depth
from generator.services.labour import EVERYTHING, MAX_WAITING_MASTERS, Duties, duties_of
from generator.services.rendering import render_next
from generator.services.requesting import (
    cancel_playlist,
    request_playlist,
    sweep,
)
from tests.generator.quick import brief, quick_render

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nights")]

GPU, ENCODER, BOTH = ("gpu",), ("encode",), ("cpu", "encode")


def beat(name: str, queues: str, *, ago_s: float = 0.0) -> None:
    now = timezone.now()
    seen = now - timedelta(seconds=ago_s)
    WorkerHeartbeat.objects.create(
        name=name, seen_at=seen, started_at=now, device="cpu", queues=queues
    )


def quick_master(
    brief: Brief, *, directory: Path, stem: str, progress: Progress | None
) -> Mastered:
    """Leave two small files under the names of a mastered night."""
    progress(0.55, RENDERING)
    samples, notes = directory / f"{stem}.master.pcm", directory / f"{stem}.master.mid"
    samples.write_bytes(b"samples")
    notes.write_bytes(brief.to_json().encode())
    return Mastered(samples, notes, 3.0, False, -24.0, -6.0, 1, "quick", "quick")


@pytest.fixture
def handed_over() -> Playlist:
    """A playlist that a GPU's worker has mastered while an encoder was alive."""
    beat("e1@here", "encode")
    request_playlist(brief=brief(), key="a night")
    return render_next(worker="g1@here", queues=GPU, render=quick_master)


def names(nights: Path) -> list[str]:
    return sorted(path.name.split(".", 1)[1] for path in nights.iterdir())


def test_who_encodes_finishes_what_it_begins_and_who_only_encodes_begins_nothing():
    assert duties_of(BOTH) == Duties(takes_new=True, takes_mastered=True, hands_over=False)
    assert duties_of(ENCODER) == Duties(takes_new=False, takes_mastered=True, hands_over=False)


def test_without_a_living_encoder_everybody_does_everything():
    beat("e1@here", "encode", ago_s=600)
    beat("c1@here", "cpu")
    assert duties_of(GPU) == EVERYTHING


def test_a_mastered_night_goes_back_to_the_queue_and_an_encoder_finishes_it(
    handed_over, nights, django_capture_on_commit_callbacks
):
    assert (handed_over.state, handed_over.progress) == (PlaylistState.QUEUED, 0.55)
    assert (handed_over.lease, handed_over.attempt) == (None, 1)
    assert queue_depth().n_mastered == 1
    assert names(nights) == ["master.mid", "master.pcm"]
    with django_capture_on_commit_callbacks(execute=True):
        done = render_next(worker="e1@here", queues=ENCODER, render=quick_render)
    assert (done.state, done.worker) == (PlaylistState.READY, "e1@here")
    assert not Master.objects.exists()
    assert {path.name for path in nights.iterdir()} == {
        done.track.audio_name,
        done.track.midi_name,
    }


def test_a_gpu_leaves_mastered_nights_to_the_encoder_and_the_encoder_leaves_new_ones(handed_over):
    assert render_next(worker="g1@here", queues=GPU, render=quick_master) is None
    request_playlist(brief=brief(), key="another night")
    assert render_next(worker="e1@here", queues=ENCODER, render=quick_render) == handed_over
    assert render_next(worker="e1@here", queues=ENCODER, render=quick_render) is None


def test_when_the_last_encoder_dies_anybody_encodes(handed_over):
    WorkerHeartbeat.objects.all().delete()
    done = render_next(worker="g1@here", queues=GPU, render=quick_render)
    assert (done, done.state) == (handed_over, PlaylistState.READY)


def test_who_has_another_renderer_may_encode_all_the_same():
    beat("e1@here", "encode")
    pin = replace(BuiltInRenderer().pin, version="0")
    playlist = request_playlist(brief=replace(brief(), pin=pin), key="a night")
    assert render_next(worker="e1@here", queues=BOTH, render=quick_render) is None
    Master.objects.create(
        playlist=playlist, lease=playlist.pk, facts={}, mastered_at=timezone.now()
    )
    assert render_next(worker="e1@here", queues=BOTH, render=quick_render) == playlist


def test_nobody_hands_over_what_would_only_fill_the_disk():
    beat("e1@here", "encode")
    for number in range(MAX_WAITING_MASTERS):
        assert duties_of(GPU).hands_over
        playlist = request_playlist(brief=brief(), key=f"night {number}")
        Master.objects.create(
            playlist=playlist, lease=playlist.pk, facts={}, mastered_at=timezone.now()
        )
    assert duties_of(GPU) == Duties(takes_new=True, takes_mastered=False, hands_over=False)


def test_a_killed_encoder_loses_an_attempt_and_not_the_night(handed_over, nights):
    def killed(_brief: Brief, **_where: object) -> Rendering:
        # As far as a worker comes that is killed: the lease runs out, no line of ours is run.
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_next(worker="e1@here", queues=ENCODER, render=killed)
    Playlist.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().n_expired == 1
    assert names(nights) == ["master.mid", "master.pcm"]
    Playlist.objects.update(not_before=None)
    done = render_next(worker="e2@here", queues=ENCODER, render=quick_render)
    assert (done.state, done.attempt) == (PlaylistState.READY, 3)


def test_a_night_whose_samples_are_lost_begins_anew(handed_over, nights):
    for path in nights.iterdir():
        path.unlink()
    undone = render_next(worker="e1@here", queues=ENCODER)
    assert undone.state == PlaylistState.QUEUED
    assert undone.failure.startswith("MasterLost: ")
    assert not Master.objects.exists()
    assert render_next(worker="e1@here", queues=ENCODER, render=quick_render) is None


def test_a_mastered_night_that_is_cancelled_leaves_the_disk(handed_over, nights):
    cancel_playlist(handed_over)
    assert sweep().n_orphans == 2
    assert list(nights.iterdir()) == []
    assert not Master.objects.exists()


def test_a_worker_that_lost_its_lease_hands_nothing_over(nights):
    beat("e1@here", "encode")
    playlist = request_playlist(brief=brief(), key="a night")

    def late(brief: Brief, **where: object) -> Mastered:
        made = quick_master(brief, **where)
        Playlist.objects.update(lease=playlist.pk)
        return made

    render_next(worker="g1@here", queues=GPU, render=late)
    assert not Master.objects.exists()
    assert list(nights.iterdir()) == []


def test_the_real_engine_hands_over_and_encodes(nights, django_capture_on_commit_callbacks):
    beat("e1@here", "encode")
    request_playlist(brief=brief(), key="a night")
    between = render_next(worker="g1@here", queues=GPU)
    assert between.state == PlaylistState.QUEUED
    with django_capture_on_commit_callbacks(execute=True):
        done = render_next(worker="e1@here", queues=ENCODER)
    assert done.state == PlaylistState.READY
    assert done.track.loudness_lufs == pytest.approx(-24.0, abs=0.5)
    assert names(nights) == ["check.mp3", "mid", "mp3"]
