"""Short pieces by pydub: the chime and the excerpt by which a listener sets the volume.

pydub is at home with seconds, not with nights: it holds what it edits in memory, at 16 bits
(45 minutes took 1.9 GB), and its own crossfade sums amplitudes, which leaves a hole of 3 dB between
sounds that do not resemble each other. So whole nights never pass through here, and `joined` fades
by equal power before pydub lays one piece over the other.

Conventions
-----------
Lengths are whole milliseconds, as pydub has them; segments are stereo, 16 bit, at the night's rate.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from generator.engine.audio.profile import CHANNELS, SAMPLE_RATE_HZ

with warnings.catch_warnings():
    # It looks for an ffmpeg when it is imported, and uses audioop; neither is news to anybody.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.generators import Sine

# Long enough to set the volume by, short enough to be heard to its end.
EXCERPT_MS = 20_000
JOIN_MS, FADE_OUT_MS = 1500, 4000
# A fifth, low and soft, each tone a little later than the one before.
CHIME_HZ, CHIME_STEP_MS, CHIME_MS, CHIME_DBFS = (261.63, 392.0), 350, 2200, -30.0
_CHUNK_MS = 5000
_FULL_SCALE = 2**15


def volume_check(audio: Path, *, start_s: float) -> AudioSegment:
    """Return what a listener sets the volume by: a chime, then an excerpt of the night, fading.

    Parameters
    ----------
    audio : Path
        A finished night.
    start_s : float
        Where the excerpt begins. A night sinks from its start on, so what follows the fade-in is
        as loud as it gets.
    """
    piece = excerpt(audio, start_s=start_s, length_ms=EXCERPT_MS)
    overlap_ms = min(JOIN_MS, len(piece))
    return joined(chime(), piece, overlap_ms).fade_out(FADE_OUT_MS)


def excerpt(audio: Path, *, start_s: float, length_ms: int) -> AudioSegment:
    """Return a stretch of an audio file, shorter where the file ends before it."""
    with soundfile.SoundFile(audio) as file:
        # Read without a seek: an MP3 has no exact positions to seek to.
        file.read(round(start_s * file.samplerate), dtype="int16", always_2d=True)
        frames = file.read(length_ms * file.samplerate // 1000, dtype="int16", always_2d=True)
        rate_hz = file.samplerate
    return _segment(frames, rate_hz)


def chime() -> AudioSegment:
    """Return two soft tones, a fifth apart: the sound is on."""
    silence = AudioSegment.silent(CHIME_MS, frame_rate=SAMPLE_RATE_HZ).set_channels(CHANNELS)
    for index, frequency_hz in enumerate(CHIME_HZ):
        after_ms = index * CHIME_STEP_MS
        tone = Sine(frequency_hz, sample_rate=SAMPLE_RATE_HZ).to_audio_segment(
            duration=CHIME_MS - after_ms, volume=CHIME_DBFS
        )
        rung = tone.fade_in(60).fade_out(len(tone) - 60).set_channels(CHANNELS)
        silence = silence.overlay(rung, position=after_ms)
    return silence


def joined(first: AudioSegment, second: AudioSegment, overlap_ms: int) -> AudioSegment:
    """Return two segments with an equal-power crossfade between them.

    Parameters
    ----------
    overlap_ms : int
        At most as long as either; 0 sets one after the other.
    """
    if overlap_ms == 0:
        return first + second
    angles = np.linspace(0, np.pi / 2, round(overlap_ms * first.frame_rate / 1000))
    leaving = _shaped(first[-overlap_ms:], np.cos(angles))
    coming = _shaped(second[:overlap_ms], np.sin(angles))
    return first[:-overlap_ms] + leaving.overlay(coming) + second[overlap_ms:]


def samples(segment: AudioSegment) -> Iterator[np.ndarray]:
    """Yield a segment as the encoders take it: float32 chunks of shape (n, 2), full scale 1."""
    for piece in segment[::_CHUNK_MS]:
        yield _frames(piece).astype(np.float32) / _FULL_SCALE


def _shaped(segment: AudioSegment, gains: np.ndarray) -> AudioSegment:
    frames = _frames(segment)
    gains = np.interp(np.linspace(0, 1, len(frames)), np.linspace(0, 1, len(gains)), gains)
    return _segment(np.rint(frames * gains[:, None]).astype(np.int16), segment.frame_rate)


def _frames(segment: AudioSegment) -> np.ndarray:
    return np.array(segment.get_array_of_samples(), np.int16).reshape(-1, segment.channels)


def _segment(frames: np.ndarray, rate_hz: int) -> AudioSegment:
    return AudioSegment(
        frames.astype("<i2").tobytes(),
        frame_rate=rate_hz,
        sample_width=2,
        channels=frames.shape[1],
    )
