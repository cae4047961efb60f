"""A night to look at: its spectrogram, and how loud each moment is, as small PNG files.

No drawing library is needed for two pictures: rows of pixels are compressed as the format asks
(PNG specification, second edition, sections 9 to 11). Both are read like a score: time runs to the
right. In the spectrogram the pitch rises upwards by octaves, from 31 Hz to 8 kHz; in the loudness
curve a line is 10 LU, the top one -10 LUFS, and the brighter line marks the target of -24 LUFS.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from generator.engine.audio.loudness import LoudnessMeter
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Profile
from generator.engine.errors import SynthesisError

WIDTH, HEIGHT = 720, 288
LOWEST_HZ, HIGHEST_HZ = 31.25, 8000.0
DYNAMIC_RANGE_DB = 80.0
TOP_LUFS, BOTTOM_LUFS, LINE_LU = -10.0, -70.0, 10.0

_FRAME, _SHADES = 8192, 24
# Night blue over lamp yellow to white: dark where nothing sounds.
_PALETTE = np.array(
    [[8, 10, 24], [24, 32, 78], [92, 48, 118], [196, 92, 92], [244, 196, 120], [255, 252, 236]]
)
_PAPER, _RULE, _TARGET, _CURVE = (8, 10, 24), (36, 42, 66), (110, 104, 80), (244, 196, 120)


def spectrogram(audio: Path) -> np.ndarray:
    """Return the spectrogram of an audio file as pixels, uint8, shape (HEIGHT, WIDTH, 3)."""
    columns = _columns(_frames_of(audio), _n_frames(audio))
    levels_db = 10 * np.log10(np.maximum(columns, 1e-20))
    shares = np.clip((levels_db - levels_db.max()) / DYNAMIC_RANGE_DB + 1.0, 0.0, 1.0)
    # So many shades are enough for the eye, and make small files.
    steps = np.rint(shares * _SHADES) / _SHADES * (len(_PALETTE) - 1)
    low = np.minimum(steps.astype(int), len(_PALETTE) - 2)
    part = (steps - low)[..., None]
    pixels = (1 - part) * _PALETTE[low] + part * _PALETTE[low + 1]
    return np.rint(pixels[::-1]).astype(np.uint8)


def loudness_curve(audio: Path) -> np.ndarray:
    """Return the momentary loudness of an audio file as pixels, uint8, shape (HEIGHT, WIDTH, 3)."""
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    for chunk in _chunks_of(audio):
        meter.add(chunk)
    momentary = meter.momentary()
    pixels = np.full((HEIGHT, WIDTH, 3), _PAPER, dtype=np.uint8)
    for lufs in np.arange(TOP_LUFS, BOTTOM_LUFS - 1, -LINE_LU):
        pixels[_row(lufs)] = _RULE
    pixels[_row(Profile().loudness_lufs)] = _TARGET
    edges = np.linspace(0, len(momentary), WIDTH + 1).astype(int)
    for column, (start, stop) in enumerate(pairwise(edges)):
        span = momentary[start : max(stop, start + 1)]
        if len(span):
            pixels[_row(span.max()) : _row(span.min()) + 1, column] = _CURVE
    return pixels


def write_png(pixels: np.ndarray, path: Path) -> None:
    """Write pixels, uint8, shape (height, width, 3), as a PNG file."""
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 9)
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, body) for kind, body in parts))


def _part(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _chunks_of(audio: Path) -> Iterator[np.ndarray]:
    try:
        with soundfile.SoundFile(audio) as file:
            if (file.samplerate, file.channels) != (SAMPLE_RATE_HZ, 2):
                raise SynthesisError(
                    f"stereo sound at {SAMPLE_RATE_HZ} Hz was expected, got {file.channels} "
                    f"channels at {file.samplerate} Hz in {audio.name}. Choose a rendered night."
                )
            yield from file.blocks(CHUNK_SAMPLES, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise SynthesisError(
            f"a rendered night was expected, got {audio} ({error}). Choose an MP3 of ours."
        ) from error


def _n_frames(audio: Path) -> int:
    return sum(len(chunk) // _FRAME for chunk in _chunks_of(audio))


def _frames_of(audio: Path) -> Iterator[np.ndarray]:
    """Yield the power of each frame at the picture's frequencies, lowest first."""
    frequencies = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE_HZ)
    rows_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, HEIGHT)
    window = np.hanning(_FRAME)
    for chunk in _chunks_of(audio):
        mono = chunk.mean(axis=1)
        n_frames = len(mono) // _FRAME
        frames = mono[: n_frames * _FRAME].reshape(n_frames, _FRAME)
        for power in np.abs(np.fft.rfft(frames * window, axis=1)) ** 2:
            yield np.interp(rows_hz, frequencies, power)


def _columns(frames: Iterable[np.ndarray], n_frames: int) -> np.ndarray:
    """Return the mean power of the frames that fall on each column, shape (HEIGHT, WIDTH)."""
    sums, counts = np.zeros((HEIGHT, WIDTH)), np.zeros(WIDTH)
    for index, frame in enumerate(frames):
        first = index * WIDTH // max(n_frames, 1)
        last = max((index + 1) * WIDTH // max(n_frames, 1), first + 1)
        sums[:, first:last] += frame[:, None]
        counts[first:last] += 1
    return sums / np.maximum(counts, 1)


def _row(lufs: float) -> int:
    share = (TOP_LUFS - lufs) / (TOP_LUFS - BOTTOM_LUFS)
    return round(float(np.clip(share, 0.0, 1.0)) * (HEIGHT - 1))
