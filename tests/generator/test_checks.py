import shutil
from collections import namedtuple

import pytest
from django.core.checks import run_checks

from generator import checks
from generator.checks import (
    WEIGHTS,
    disk_has_room,
    mp3_can_be_written,
    nights_can_be_stored,
    releases_are_whole,
)

Usage = namedtuple("Usage", "total used free")


def test_this_machine_can_make_music():
    ours = [found for found in run_checks() if (found.id or "").startswith("generator.E")]
    assert ours == []


def test_a_damaged_and_a_missing_release_are_errors_that_name_them(monkeypatch, tmp_path):
    copy = shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(checks, "WEIGHTS", copy)
    assert releases_are_whole() == []
    with (copy / "markov" / "arrays.safetensors").open("ab") as file:
        file.write(b"x")
    shutil.rmtree(copy / "genetic")
    damaged, missing = releases_are_whole()
    assert {damaged.id, missing.id} == {"generator.E001"}
    assert "release markov has SHA-256" in damaged.msg
    assert "expected in release genetic" in missing.msg


def test_a_soundfile_without_mp3_is_an_error(monkeypatch):
    monkeypatch.setattr(checks.soundfile, "available_formats", lambda: {"WAV": "WAV"})
    (found,) = mp3_can_be_written()
    assert found.id == "generator.E002"
    assert "Reinstall soundfile" in found.hint


def test_a_directory_still_to_be_made_is_fine(settings, tmp_path):
    settings.NOCTURNE_NIGHTS = tmp_path / "var" / "nights"
    assert nights_can_be_stored() == []


def test_a_file_in_the_place_of_the_directory_is_an_error(settings, tmp_path):
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    settings.NOCTURNE_NIGHTS.touch()
    (found,) = nights_can_be_stored()
    assert found.id == "generator.E003"


@pytest.mark.parametrize(("free_gib", "n_found"), [(1.9, 1), (2.1, 0)])
def test_a_nearly_full_disk_is_a_warning(monkeypatch, free_gib, n_found):
    free = int(free_gib * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free, 0, free))
    assert [found.id for found in disk_has_room()] == ["generator.W001"] * n_found
