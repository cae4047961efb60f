"""Samples to files: a 24-bit scratch for the second pass, the MP3 for the listener.

The MP3 is CBR, so that files of equal length have equal size, and carries no title, artist or
other text: from the outside a file tells its length and nothing else.

References
----------
libsndfile maps `compression_level` 0-1 onto LAME's bit rates at 44.1 kHz; 0.7 gives 112 kb/s (the
test measures it).
"""

import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from generator.engine.audio.profile import CHANNELS, CHUNK_SAMPLES, SAMPLE_RATE_HZ
from generator.engine.errors import SynthesisError

BIT_RATE_KBPS = 112
_COMPRESSION_LEVEL = 0.7
# LAME's presets turn constant-rate input down to this share; undone here, and measured by the test.
LAME_SCALE = 0.95
_INT24_FULL_SCALE = 2**23
_BYTES_PER_FRAME = 3 * CHANNELS


def write_mp3(chunks: Iterable[np.ndarray], path: Path) -> None:
    """Write stereo chunks as MP3 to `path` and see it onto the disk.

    Raises
    ------
    SynthesisError
        The disk is full or the file cannot be written; a partial file may remain at `path`.
    """
    with _writable(path) as raw:
        guarded = _GuardedFile(raw)
        with soundfile.SoundFile(
            guarded,
            "w",
            samplerate=SAMPLE_RATE_HZ,
            channels=CHANNELS,
            format="MP3",
            subtype="MPEG_LAYER_III",
            bitrate_mode="CONSTANT",
            compression_level=_COMPRESSION_LEVEL,
        ) as mp3:
            for chunk in chunks:
                _write_frames(mp3, chunk)
                guarded.raise_failure(path)
        guarded.raise_failure(path)
        _settle(raw, path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mp3_duration_s(path: Path) -> float:
    """Return how long a written MP3 plays, in seconds, as its own header tells."""
    return soundfile.info(str(path)).duration


def publish(part: Path, final: Path) -> None:
    """Give a finished file its name in one step; an older file of that name is replaced."""
    part.replace(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Scratch:
    """The mastered sound at 24 bits on disk: written when measured, read when encoded.

    Parameters
    ----------
    path : Path
        The caller makes it (`emptied`) and removes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def emptied(cls, path: Path) -> "Scratch":
        """Return a scratch at `path`, created or emptied."""
        with _writable(path):
            pass
        return cls(path)

    @property
    def n_samples(self) -> int:
        """How many samples a channel it holds; 0 where there is no file."""
        return self._path.stat().st_size // _BYTES_PER_FRAME if self._path.is_file() else 0

    def append(self, chunk: np.ndarray) -> None:
        """Add the next samples, shape (n_samples, 2); what exceeds full scale is held there."""
        rounded = np.rint(chunk * _INT24_FULL_SCALE)
        scaled = np.clip(rounded, -_INT24_FULL_SCALE, _INT24_FULL_SCALE - 1).astype("<i4")
        low_three_bytes = scaled.reshape(-1).view(np.uint8).reshape(-1, 4)[:, :3]
        try:
            with self._path.open("ab") as file:
                file.write(low_three_bytes.tobytes())
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def settle(self) -> None:
        """See what was written onto the disk."""
        with self._path.open("rb+") as file:
            _settle(file, self._path)

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield the samples again in chunks of five seconds, float32."""
        with self._path.open("rb") as file:
            while data := file.read(CHUNK_SAMPLES * _BYTES_PER_FRAME):
                triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
                # Three bytes into the upper part of four, so that the sign comes along.
                padded = np.zeros((len(triples), 4), np.uint8)
                padded[:, 1:] = triples
                samples = padded.view("<i4").reshape(-1, CHANNELS)
                yield (samples / (_INT24_FULL_SCALE * 256)).astype(np.float32)


class _GuardedFile:
    """A file for libsndfile that remembers a failed write; libsndfile itself may swallow it."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, or note the failure and claim that all is well until `raise_failure`."""
        if self._failure is None:
            try:
                self._write_all(data)
            except OSError as error:
                self._failure = error
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read, as libsndfile does to complete the header at the end."""
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position."""
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._raw.tell()

    def flush(self) -> None:
        """Do nothing: the owner of the file flushes once, at the end."""

    def raise_failure(self, path: Path) -> None:
        """Raise SynthesisError if a write has failed."""
        if self._failure is not None:
            raise _cannot_write(path, self._failure) from self._failure

    def _write_all(self, data: bytes) -> None:
        # A disk that fills up takes the part that fits and fails at the next call.
        rest = memoryview(data)
        while len(rest):
            rest = rest[self._raw.write(rest) :]


def _writable(path: Path) -> io.FileIO:
    try:
        # Unbuffered: a full disk shows at the write that meets it.
        return path.open("w+b", buffering=0)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _write_frames(mp3: soundfile.SoundFile, chunk: np.ndarray) -> None:
    mp3.write(np.ascontiguousarray(chunk / LAME_SCALE, dtype=np.float32))


def _settle(raw: BinaryIO, path: Path) -> None:
    try:
        os.fsync(raw.fileno())
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> SynthesisError:
    return SynthesisError(
        f"room to write {path.name} was expected in {path.parent}, got {error.strerror or error}. "
        "Free disk space (a night needs about 17 MB a minute while it is made) and try again."
    )
