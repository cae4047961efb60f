"""The bed of nature under the music: rain or waves, made of noise, never a loop.

Listeners ask for rain under a soft piano, and complain of loops: a bed that repeats is noticed
(docs/sound.md). Here nothing repeats. Each chunk's noise comes from a generator seeded with the
night's seed and the chunk's number, and the slow swells are functions of the time alone, so a bed
streams, and any stretch of it can be made again.

Conventions
-----------
level       `BED_LU` loudness units below the music, and sinking with it
"""

import math
from collections.abc import Iterator

import numpy as np
from scipy.signal import butter, sosfilt, sosfreqz

from generator.engine.audio.loudness import k_weighting
from generator.engine.audio.profile import (
    CHUNK_SAMPLES,
    SAMPLE_RATE_HZ,
    SHORTEST_NIGHT_S,
    Profile,
    Timeline,
)
from generator.engine.brief import Bed

BED_LU = -14.0

_STREAM = 2
# Rain is bright, yet here it lies under the music's own low-pass: a roof, not a pane of glass.
# Above its band it falls by 24 dB an octave; by 12, no night with rain met the profile's tilt.
_RAIN_BAND_HZ, _WAVES_BAND_HZ = (350.0, 2400.0), (120.0, 900.0)
# Both ears hear the same shower a little differently.
_SHARED = 0.7
# Swells: their periods have no common multiple within a night.
_RAIN_SWELL, _RAIN_PERIODS_S = 0.10, (7.3, 17.9, 43.1)
_WAVE_SWELL, _WAVE_PERIODS_S = 0.28, (8.9, 11.3, 29.7)


class NatureBed:
    """The bed of one night; ask for its chunks in order.

    Parameters
    ----------
    bed : Bed
        Not `Bed.NONE`.
    seed : int
        The night's.
    amplitude : float
        K-weighted amplitude at the start of the night, both channels together.
    timeline : Timeline
    profile : Profile
        `decline_lu` is how far the bed sinks until the fade-out.
    """

    def __init__(
        self, bed: Bed, *, seed: int, amplitude: float, timeline: Timeline, profile: Profile
    ) -> None:
        self._swell, self._periods_s = (
            (_RAIN_SWELL, _RAIN_PERIODS_S) if bed is Bed.RAIN else (_WAVE_SWELL, _WAVE_PERIODS_S)
        )
        self._filter = _band_of(bed)
        self._state = np.zeros((len(self._filter), 2, 2))
        self._amplitude = amplitude / _weighted_amplitude(self._filter)
        self._seed, self._timeline = seed, timeline
        self._decline_db = profile.decline_lu * min(
            1.0, timeline.n_samples / (SHORTEST_NIGHT_S * SAMPLE_RATE_HZ)
        )
        self._phases = np.random.default_rng([seed, _STREAM]).uniform(0, 2 * np.pi, 3)
        self._position = 0

    def chunk(self, n_samples: int) -> np.ndarray:
        """Return the next samples, float32, shape (n_samples, 2)."""
        number = self._position // CHUNK_SAMPLES
        rng = np.random.default_rng([self._seed, _STREAM, number])
        shared = rng.standard_normal((CHUNK_SAMPLES, 1), dtype=np.float32)
        apart = rng.standard_normal((CHUNK_SAMPLES, 2), dtype=np.float32)
        noise = _SHARED * shared + math.sqrt(1 - _SHARED**2) * apart
        filtered, self._state = sosfilt(self._filter, noise[:n_samples], axis=0, zi=self._state)
        level = self._level(np.arange(self._position, self._position + n_samples))
        self._position += n_samples
        return (filtered * level[:, None]).astype(np.float32)

    def _level(self, positions: np.ndarray) -> np.ndarray:
        """Return the amplitude at sample positions: slow swells on a line that sinks."""
        times_s = positions / SAMPLE_RATE_HZ
        swells = sum(
            np.sin(2 * np.pi * times_s / period_s + phase)
            for period_s, phase in zip(self._periods_s, self._phases, strict=True)
        )
        share = np.minimum(positions / max(self._timeline.fade_out_start, 1), 1.0)
        sunk = 10 ** (-self._decline_db * share / 20)
        return self._amplitude * sunk * (1 + self._swell * swells)


def with_bed(chunks: Iterator[np.ndarray], bed: NatureBed | None) -> Iterator[np.ndarray]:
    """Yield chunks of music with the bed under them; as they are without one."""
    for chunk in chunks:
        yield chunk if bed is None else chunk + bed.chunk(len(chunk))


def _band_of(bed: Bed) -> np.ndarray:
    """Return the filter that makes noise rain or waves, as second-order sections."""
    if bed is Bed.WAVES:
        return butter(2, _WAVES_BAND_HZ, "band", fs=SAMPLE_RATE_HZ, output="sos")
    low_hz, high_hz = _RAIN_BAND_HZ
    below = butter(2, low_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    above = butter(4, high_hz, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.concatenate([below, above])


def _weighted_amplitude(sections: np.ndarray) -> float:
    """Return the K-weighted amplitude of white noise of variance 1 a channel behind a filter."""
    both = np.concatenate([sections, k_weighting(SAMPLE_RATE_HZ)])
    _, response = sosfreqz(both, worN=16_384, fs=SAMPLE_RATE_HZ)
    return math.sqrt(2 * float(np.mean(np.abs(response) ** 2)))
