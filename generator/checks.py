"""Checks that guard the music before the site starts."""

import os
import shutil
from pathlib import Path
from typing import Any

import soundfile
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from generator.engine.brief import ComposerName
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import CheckpointError
from generator.engine.networks.checkpoints import load_checkpoint

# What all composers share has a release of its own beside theirs.
FOUNDATION = "foundation"
# A night of 45 minutes needs 0.8 GB while it is made, and 40 MB for good.
FREE_BYTES_NEEDED = 2 * 2**30


def releases_are_whole(**_options: Any) -> list[CheckMessage]:
    """Return one error for each release that is missing, damaged, or of another vocabulary."""
    problems = []
    for name in (FOUNDATION, *ComposerName):
        try:
            load_checkpoint(WEIGHTS / name)
        except CheckpointError as error:
            problems.append(
                Error(
                    str(error),
                    hint="Install Nocturne again, or rebuild it with manage.py train_composer.",
                    id="generator.E001",
                )
            )
    return problems


def mp3_can_be_written(**_options: Any) -> list[CheckMessage]:
    """Return an error if the installed libsndfile cannot encode MP3."""
    if "MP3" in soundfile.available_formats():
        return []
    return [
        Error(
            f"soundfile with an MP3 encoder was expected, got libsndfile "
            f"{soundfile.__libsndfile_version__} without one.",
            hint="Reinstall soundfile from its wheel, which brings libsndfile 1.1 or later.",
            id="generator.E002",
        )
    ]


def nights_can_be_stored(**_options: Any) -> list[CheckMessage]:
    """Return an error if rendered files have nowhere to go."""
    place = _nearest_existing(Path(settings.NOCTURNE_NIGHTS))
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"a writable directory for the rendered music was expected, got {place}.",
            hint="Give the account that runs the site write access, or set NOCTURNE_VAR.",
            id="generator.E003",
        )
    ]


def disk_has_room(**_options: Any) -> list[CheckMessage]:
    """Return a warning if the next long render could fill the disk."""
    place = _nearest_existing(Path(settings.NOCTURNE_NIGHTS))
    free = shutil.disk_usage(place).free
    if free >= FREE_BYTES_NEEDED:
        return []
    return [
        Warning(
            f"{FREE_BYTES_NEEDED / 2**30:.0f} GiB of free disk for rendering was expected, got "
            f"{free / 2**30:.1f} GiB at {place}.",
            hint="Free some space, or set NOCTURNE_VAR to a larger disk.",
            id="generator.W001",
        )
    ]


def _nearest_existing(path: Path) -> Path:
    """Return the path, or the nearest of its parents that exists already."""
    return next(place for place in (path, *path.parents) if place.exists())
