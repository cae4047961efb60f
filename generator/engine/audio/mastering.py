"""From dry voices to a night: filters, a soft room, a narrow stereo picture, fades.

Everything is a stream: a `Master` takes the chunks of one file in order and keeps what crosses
their borders (filter states, the room's tail). Its output still needs one static gain, known only
when all was heard: `gain_to_target`.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import butter, sosfilt, sosfiltfilt

from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Profile, Timeline
from generator.engine.errors import SynthesisError

# The gliding low-pass moves this often: under 1 % a step even in the shortest file.
_GLIDE_SAMPLES = SAMPLE_RATE_HZ // 4
_ROOM_SEED = 20_351
_ROOM_HIGHPASS_HZ = 150.0
_ROOM_CROSSOVER_HZ = 2500.0
_ROOM_MIDDLE_HZ = (200.0, 2000.0)
_ROOM_HIGH_T60_SHARE = 0.45
_ROOM_ONSET_S = 0.030
# What the room answers within half a second is heard as part of the note.
_EARLY_S, _EARLY_SIZE = 0.5, 2**16


class Master:
    """The mastering chain of one file; feed it the file's chunks in order.

    Parameters
    ----------
    timeline : Timeline
    profile : Profile
    """

    def __init__(self, timeline: Timeline, profile: Profile) -> None:
        self._timeline = timeline
        self._profile = profile
        self._position = 0
        self._room = _Room(profile)
        self._highpass = butter(2, profile.highpass_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
        self._highpass_state = np.zeros((len(self._highpass), 2, 2))
        self._lowpass_state = np.zeros((2, 2, 2))

    def process(self, chunk: np.ndarray) -> np.ndarray:
        """Return the next chunk mastered but for its gain, float32, shape as `chunk`."""
        wet = chunk + self._room.reflect(chunk)
        filtered, self._highpass_state = sosfilt(
            self._highpass, wet, axis=0, zi=self._highpass_state
        )
        filtered = narrow(self._glide(filtered), self._profile.width)
        positions = np.arange(self._position, self._position + len(chunk))
        self._position += len(chunk)
        return (filtered * fades(positions, self._timeline)[:, None]).astype(np.float32)

    def _glide(self, samples: np.ndarray) -> np.ndarray:
        glided = np.empty_like(samples)
        for start in range(0, len(samples), _GLIDE_SAMPLES):
            span = slice(start, start + _GLIDE_SAMPLES)
            progress = (self._position + start) / self._timeline.n_samples
            cutoff_hz = lowpass_hz(progress, self._profile)
            sections = butter(4, cutoff_hz, fs=SAMPLE_RATE_HZ, output="sos")
            glided[span], self._lowpass_state = sosfilt(
                sections, samples[span], axis=0, zi=self._lowpass_state
            )
        return glided


def lowpass_hz(progress: float, profile: Profile) -> float:
    """Return the low-pass frequency at a share of the night (0-1): a geometric glide downwards."""
    share = min(1.0, progress / profile.lowpass_reached)
    ratio = profile.lowpass_end_hz / profile.lowpass_start_hz
    return profile.lowpass_start_hz * ratio**share


def fades(positions: np.ndarray, timeline: Timeline) -> np.ndarray:
    """Return the gain of the fades at sample positions: sin² in, sin² out, then exactly 0."""
    rising = np.clip(positions / timeline.fade_in, 0.0, 1.0)
    falling = np.clip((timeline.music_end - positions) / timeline.fade_out, 0.0, 1.0)
    return np.sin(np.pi / 2 * rising) ** 2 * np.sin(np.pi / 2 * falling) ** 2


def narrow(samples: np.ndarray, width: float) -> np.ndarray:
    """Return stereo samples with the side signal scaled by `width` (0 mono, 1 unchanged)."""
    mid = samples.mean(axis=1, keepdims=True)
    return mid + width * (samples - mid)


def room_power(frequencies_hz: np.ndarray, profile: Profile) -> np.ndarray:
    """Return how much power the room and the narrowing leave of a steady tone in the middle.

    Parameters
    ----------
    frequencies_hz : ndarray
    profile : Profile

    Returns
    -------
    ndarray, shape as `frequencies_hz`
        Mean over both ears, 1.0 for a tone that the room neither supports nor weakens.
    """
    spectrum = _early_room_spectrum(profile)
    bins = np.rint(frequencies_hz / SAMPLE_RATE_HZ * _EARLY_SIZE).astype(int)
    return spectrum[bins]


@lru_cache(maxsize=4)
def room_t60_s(profile: Profile) -> float:
    """Return how long the room takes to fall by 60 dB, from its decay between -5 and -25 dB."""
    energy = (_room_responses(profile).astype(np.float64) ** 2).sum(axis=0)[::-1].cumsum()[::-1]
    decay_db = 10 * np.log10(energy / energy[0])
    start, stop = (int(np.argmax(decay_db <= level)) for level in (-5.0, -25.0))
    return 3 * (stop - start) / SAMPLE_RATE_HZ


def gain_to_target(loudness_lufs: float, profile: Profile) -> float:
    """Return the static gain in dB that brings a sound to the profile's loudness.

    Raises
    ------
    SynthesisError
        The sound is silent.
    """
    if loudness_lufs < -100.0:
        raise SynthesisError(
            f"an audible sound was expected, got {loudness_lufs:.0f} LUFS. "
            "Compose again: the score sounds nowhere in the file."
        )
    return profile.loudness_lufs - loudness_lufs


def soften_peaks(samples: np.ndarray, profile: Profile) -> np.ndarray:
    """Return the samples bent smoothly under the true-peak ceiling; below the knee none changes."""
    # Half a decibel is left for what lies between the samples.
    ceiling = 10 ** ((profile.true_peak_max_dbtp - 0.5) / 20)
    knee = 10 ** ((profile.true_peak_max_dbtp - 4.0) / 20)
    over = np.maximum(np.abs(samples) - knee, 0.0)
    bent = np.minimum(np.abs(samples), knee) + (ceiling - knee) * np.tanh(over / (ceiling - knee))
    return np.copysign(bent, samples).astype(np.float32)


class _Room:
    """A synthetic room: exponentially decaying noise, one response an ear, by overlap-add."""

    def __init__(self, profile: Profile) -> None:
        responses = _room_responses(profile)
        self._size = next_fast_len(CHUNK_SAMPLES + responses.shape[1] - 1, real=True)
        self._spectra = rfft(responses, self._size, axis=1)
        self._tail = np.zeros((2, responses.shape[1] - 1), dtype=np.float32)

    def reflect(self, chunk: np.ndarray) -> np.ndarray:
        """Return the room's answer to the next chunk (at most `CHUNK_SAMPLES`), tail carried."""
        source = rfft(chunk.mean(axis=1, dtype=np.float32), self._size)
        answer = irfft(self._spectra * source, self._size, axis=1)
        n_samples, n_tail = len(chunk), self._tail.shape[1]
        answer = answer[:, : n_samples + n_tail]
        answer[:, :n_tail] += self._tail
        self._tail = answer[:, n_samples:].copy()
        return answer[:, :n_samples].T


@lru_cache(maxsize=4)
def _early_room_spectrum(profile: Profile) -> np.ndarray:
    early = _room_responses(profile)[:, : round(_EARLY_S * SAMPLE_RATE_HZ)]
    ears = 1 + rfft(early, _EARLY_SIZE, axis=1)
    return np.mean(np.abs(narrow(ears.T, profile.width)) ** 2, axis=1)


def _room_responses(profile: Profile) -> np.ndarray:
    """Return both ears' impulse responses, shape (2, n), at the wet level in the middle band."""
    length = round(1.1 * profile.reverb_t60_s * SAMPLE_RATE_HZ)
    t = np.arange(length) / SAMPLE_RATE_HZ
    noise = np.random.default_rng(_ROOM_SEED).standard_normal((2, length))
    low = sosfiltfilt(
        butter(2, [_ROOM_HIGHPASS_HZ, _ROOM_CROSSOVER_HZ], "band", fs=SAMPLE_RATE_HZ, output="sos"),
        noise,
    )
    high = sosfiltfilt(
        butter(2, _ROOM_CROSSOVER_HZ, "high", fs=SAMPLE_RATE_HZ, output="sos"), noise
    )
    rate = math.log(1000.0) / profile.reverb_t60_s
    onset = np.sin(np.pi / 2 * np.minimum(t / _ROOM_ONSET_S, 1.0)) ** 2
    onset = onset * np.cos(np.pi / 2 * np.clip((t / t[-1] - 0.9) / 0.1, 0.0, 1.0)) ** 2
    responses = onset * (
        low * np.exp(-rate * t) + 0.35 * high * np.exp(-rate / _ROOM_HIGH_T60_SHARE * t)
    )
    spectra = np.fft.rfft(responses, axis=1)
    middle = slice(*np.searchsorted(np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ), _ROOM_MIDDLE_HZ))
    answer = np.sqrt(np.mean(np.abs(spectra[:, middle]) ** 2, axis=1, keepdims=True))
    responses *= 10 ** (profile.reverb_wet_db / 20) / answer
    predelay = np.zeros((2, round(profile.reverb_predelay_s * SAMPLE_RATE_HZ)))
    return np.concatenate([predelay, responses], axis=1).astype(np.float32)
