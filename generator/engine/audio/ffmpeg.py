"""MP3 by the system's ffmpeg, fed through a pipe: an optional encoder, quicker than the built-in.

The same LAME behind another program: constant bit rate, no tags. Its bytes are not
those of the built-in encoder, so a study pins the one it uses (see `encoders`).
"""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO

import numpy as np

from generator.engine.audio.encoding import BIT_RATE_KBPS, LAME_SCALE
from generator.engine.audio.profile import CHANNELS, SAMPLE_RATE_HZ
from generator.engine.errors import SynthesisError

PROGRAM = "ffmpeg"
_VERSION_WITHIN_S = 20
_SAID_BYTES = 300


@cache
def version(program: str) -> str:
    """Return what ffmpeg calls its own version; empty where it does not run."""
    try:
        said = subprocess.run(  # noqa: S603 (a program that the caller has looked up)
            [program, "-hide_banner", "-version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=_VERSION_WITHIN_S,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    words = said.split()
    return words[2] if words[:2] == [PROGRAM, "version"] else ""


def found() -> str:
    """Return the path of the ffmpeg that this machine would use; empty if there is none."""
    return shutil.which(PROGRAM) or ""


def write_mp3(chunks: Iterable[np.ndarray], path: Path) -> None:
    """Write stereo chunks as MP3 to `path` and see it onto the disk.

    Raises
    ------
    SynthesisError
        There is no ffmpeg, the disk is full, or ffmpeg gave up; a partial file may remain.
    """
    with tempfile.TemporaryFile() as said:
        process = _started(path, said)
        try:
            _feed(process, chunks)
            failed = process.wait() != 0
        finally:
            # What the chunks raise ends the encoder too: nobody will read the rest.
            if process.poll() is None:
                process.kill()
                process.wait()
        if failed:
            raise _gave_up(path, process.returncode, said)
    _settle(path)


def _started(path: Path, said: IO[bytes]) -> subprocess.Popen[bytes]:
    sound = ["-f", "f32le", "-ar", str(SAMPLE_RATE_HZ), "-ac", str(CHANNELS), "-i", "pipe:0"]
    bare = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    mp3 = ["-c:a", "libmp3lame", "-b:a", f"{BIT_RATE_KBPS}k"]
    untagged = ["-id3v2_version", "0", "-f", "mp3", "-y", str(path)]
    try:
        return subprocess.Popen(  # noqa: S603 (the ffmpeg on PATH, no words of anybody's in it)
            [found() or PROGRAM, "-v", "error", "-threads", "1", *sound, *bare, *mp3, *untagged],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    except OSError as error:
        raise SynthesisError(
            f"ffmpeg on PATH was expected, got {error.strerror}. Install ffmpeg, or open studies "
            "with the built-in encoder."
        ) from error


def _feed(process: subprocess.Popen[bytes], chunks: Iterable[np.ndarray]) -> None:
    with process.stdin as pipe:
        for chunk in chunks:
            try:
                pipe.write((chunk / LAME_SCALE).astype("<f4").tobytes())
            except BrokenPipeError:
                # It has given up already, and says why when it is asked for its exit status.
                return


def _gave_up(path: Path, status: int, said: IO[bytes]) -> SynthesisError:
    said.seek(0)
    words = said.read().decode("utf-8", "replace")[-_SAID_BYTES:].strip()
    error = SynthesisError(
        f"room to write {path.name} was expected in {path.parent}, got ffmpeg ending with {status} "
        f"({words or 'no word'}). Free disk space and try again."
    )
    if os.strerror(errno.ENOSPC) in words:
        error.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return error


def _settle(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
