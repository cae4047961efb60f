from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from generator.models.playlist import Playlist
from generator.services.rendering import claim, render_next
from generator.services.requesting import request_playlist, sweep
from generator.services.storage import audio_path, midi_path, remove_orphans, stem_of
from tests.generator.quick import brief, quick_render

pytestmark = pytest.mark.django_db


def test_files_of_published_and_living_attempts_stay(nights):
    request_playlist(brief=brief(), key="first night")
    request_playlist(brief=brief(), key="second night")
    track = render_next(worker="w1@here", render=quick_render).track
    living = claim(worker="w1@here")
    (nights / f"{stem_of(playlist=living.pk, lease=living.lease)}.part.pcm").touch()
    assert remove_orphans() == 0
    assert audio_path(track).exists()
    assert midi_path(track).exists()
    assert len(list(nights.iterdir())) == 3


def test_files_of_dead_attempts_go_even_beside_a_published_one(nights):
    playlist = request_playlist(brief=brief(), key="a night")
    track = render_next(worker="w1@here", render=quick_render).track
    dead = nights / f"{stem_of(playlist=playlist.pk, lease=uuid4())}.part.mp3"
    dead.touch()
    scratch = nights / f"{track.audio_name.removesuffix('.mp3')}.part.pcm"
    scratch.touch()
    assert remove_orphans() == 2
    assert {path.name for path in nights.iterdir()} == {track.audio_name, track.midi_name}


def test_files_that_we_did_not_name_are_nobodys_orphans(nights):
    (nights / "notes.txt").touch()
    (nights / "a folder").mkdir()
    assert remove_orphans() == 0
    assert len(list(nights.iterdir())) == 2


def test_the_sweep_clears_up_after_a_worker_that_died(nights):
    request_playlist(brief=brief(), key="a night")
    dead = claim(worker="w1@here")
    (nights / f"{stem_of(playlist=dead.pk, lease=dead.lease)}.part.pcm").touch()
    Playlist.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().n_orphans == 1
    assert list(nights.iterdir()) == []
