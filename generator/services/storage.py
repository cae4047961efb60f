"""Where the rendered files lie, how they are named, and which of them nobody needs.

Every file of an attempt begins with `<playlist>-<lease>`, so two workers can never write the same
file, and a file's name tells whether its attempt is alive, published or dead.
"""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from generator.models.playlist import FINAL, Master, Playlist, Track

logger = logging.getLogger(__name__)

STEM = re.compile(r"[0-9a-f]{32}-(?P<lease>[0-9a-f]{32})\b")


def nights() -> Path:
    """Return the directory of rendered files, made if need be, for its owner only."""
    path = Path(settings.NOCTURNE_NIGHTS)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def stem_of(*, playlist: UUID, lease: UUID) -> str:
    """Return what the names of all files of one attempt begin with."""
    return f"{playlist.hex}-{lease.hex}"


def audio_path(track: Track) -> Path:
    """Return where the track's audio lies."""
    return Path(settings.NOCTURNE_NIGHTS) / track.audio_name


def midi_path(track: Track) -> Path:
    """Return where the MIDI lies that the track was made from."""
    return Path(settings.NOCTURNE_NIGHTS) / track.midi_name


def check_path(track: Track) -> Path | None:
    """Return where the short file lies by which its listener sets the volume, if there is one."""
    return Path(settings.NOCTURNE_NIGHTS) / track.check_name if track.check_name else None


def master_paths(master: Master) -> tuple[Path, Path]:
    """Return where the samples and the notes of a mastered night lie."""
    stem = stem_of(playlist=master.playlist_id, lease=master.lease)
    return nights() / f"{stem}.master.pcm", nights() / f"{stem}.master.mid"


def remove_master(master: Master) -> None:
    """Delete the files of a mastered night whose row is gone."""
    remove_attempt(stem_of(playlist=master.playlist_id, lease=master.lease))


def remove_attempt(stem: str) -> int:
    """Delete all files of one attempt; return how many there were."""
    return _remove(path for path in nights().iterdir() if path.name.startswith(stem))


def remove_orphans() -> int:
    """Delete the files of attempts that are not in work, mastered or published; return how many.

    The directory is read before the database, and leases before masters before tracks: an attempt
    that begins, is handed over or is published in between is therefore always seen as wanted.
    """
    named = [(path, match["lease"]) for path in _files() if (match := STEM.match(path.name))]
    if not named:
        return 0
    working = Playlist.objects.working().values_list("lease", flat=True)
    wanted = {lease.hex for lease in working}
    mastered = Master.objects.exclude(playlist__state__in=FINAL).values_list("lease", flat=True)
    wanted |= {lease.hex for lease in mastered}
    published = {
        name
        for names in Track.objects.values_list("audio_name", "midi_name", "check_name")
        for name in names
    }
    return _remove(
        path for path, lease in named if lease not in wanted and path.name not in published
    )


def _files() -> Iterator[Path]:
    return (path for path in nights().iterdir() if path.is_file())


def _remove(paths: Iterator[Path]) -> int:
    n_removed = 0
    for path in paths:
        # Another worker may be tidying up at the same moment.
        path.unlink(missing_ok=True)
        logger.info("removed %s, which belongs to no playlist", path.name)
        n_removed += 1
    return n_removed
