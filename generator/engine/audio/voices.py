"""The built-in voices: tones as sums of damped sinusoids, which need no samples and no licence.

Conventions
-----------
partial     one sinusoid of a tone: frequency in Hz, amplitude, decay rate in 1/s, phase in radians
loudness    each tone is scaled so that its first second carries the same K-weighted energy whatever
            the voice and pitch; `level_db` then places the voice in the mix

The timbres are made for falling asleep: nothing above 5.5 kHz, no attack under 8 ms, no beating
copies of a tone. Held voices live by partials that swell and fade each at its own slow rate, so
that their sum stays even.

References
----------
Fletcher & Rossing, The Physics of Musical Instruments (2nd ed., 1998): stretched partials of stiff
strings (12.3), the plucking point (2.9), tuned bars of the vibraphone (19.3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

HIGHEST_PARTIAL_HZ = 5500.0
LOWEST_PITCH, HIGHEST_PITCH = 21, 108

_LN_60_DB = np.log(1000.0)
_QUADRATURE = np.pi / 2


@dataclass(frozen=True)
class Partials:
    """The partials of one tone, sorted by decay, slowest first; all arrays have shape (n,)."""

    frequencies_hz: np.ndarray
    amplitudes: np.ndarray
    decays_per_s: np.ndarray
    phases: np.ndarray


@dataclass(frozen=True)
class Voice:
    """A way to sound.

    `attack_s` and `release_s` are the lengths of the sin² ramps at both ends. A `held` voice sounds
    as long as its note; its two ramps are equally long, so that a repeated chord joins without a
    dip or a bump. A struck one decays and rings for `ring_s` past its note, as with the pedal.
    `brightness` is how much softer playing takes from the upper partials. `phase` is the phase of
    the fundamental: voices that meet on one pitch stand at right angles, so that they neither
    cancel nor boom.
    """

    name: str
    attack_s: float
    release_s: float
    level_db: float
    spectrum: Callable[[float], tuple[np.ndarray, np.ndarray, np.ndarray]]
    held: bool = False
    ring_s: float = 0.0
    brightness: float = 0.0
    phase: float = 0.0

    def partials(self, pitch: int) -> Partials:
        """Return the partials of this voice at a MIDI pitch, equally loud at any pitch."""
        return _partials(self, pitch)

    def powers(self, pitch: int, times_s: np.ndarray) -> np.ndarray:
        """Return the K-weighted power of a tone at times after its onset, shape as `times_s`."""
        partials = self.partials(pitch)
        return _k_weighted_powers(
            partials.frequencies_hz, partials.amplitudes, partials.decays_per_s, times_s
        )

    def darkening(self, pitch: int, loudness: float) -> np.ndarray:
        """Return what playing at `loudness` (0-1) leaves of each partial, shape (n,)."""
        f0_hz = frequency_hz(pitch)
        order = np.maximum(self.partials(pitch).frequencies_hz / f0_hz, 1.0) - 1.0
        return np.exp(-self.brightness * (1.0 - loudness) * order)


def frequency_hz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch in equal temperament, a' = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def k_weight(frequencies_hz: np.ndarray) -> np.ndarray:
    """Return the K-weighting of BS.1770 as amplitude at frequencies, to about 0.5 dB."""
    shelf = (frequencies_hz / 1700.0) ** 2
    return (1 + 1.58 * shelf) / (1 + shelf) / (1 + (60.0 / frequencies_hz) ** 2)


def voice_for_program(program: int) -> Voice:
    """Return the built-in voice that stands in for a General MIDI program (0-127)."""
    return next(voice for programs, voice in _VOICES_BY_PROGRAM if program in programs)


@lru_cache(maxsize=512)
def _partials(voice: Voice, pitch: int) -> Partials:
    f0_hz = frequency_hz(pitch)
    frequencies, amplitudes, t60_s = voice.spectrum(f0_hz)
    decays = np.where(np.isinf(t60_s), 0.0, _LN_60_DB / t60_s)
    audible = (frequencies < HIGHEST_PARTIAL_HZ) & (amplitudes > 0)
    order = np.argsort(decays[audible], kind="stable")
    frequencies, amplitudes, decays = (
        values[audible][order] for values in (frequencies, amplitudes, decays)
    )
    # Fixed by voice and pitch: the same tone has the same waveform on every night. Partials of one
    # frequency share a phase, or prompt sound and aftersound would cancel.
    lines, line_of_partial = np.unique(frequencies, return_inverse=True)
    rng = np.random.default_rng([pitch, *voice.name.encode()])
    phases = rng.uniform(0, 2 * np.pi, len(lines))
    phases[np.isclose(lines, f0_hz, rtol=1e-9)] = voice.phase
    phases = phases[line_of_partial]
    first_second = (np.arange(50) + 0.5) / 50
    energy = _k_weighted_powers(frequencies, amplitudes, decays, first_second).mean()
    return Partials(frequencies, amplitudes / np.sqrt(energy), decays, phases)


def _k_weighted_powers(
    frequencies_hz: np.ndarray,
    amplitudes: np.ndarray,
    decays_per_s: np.ndarray,
    times_s: np.ndarray,
) -> np.ndarray:
    lines, line_of_partial = np.unique(frequencies_hz, return_inverse=True)
    levels = amplitudes * np.exp(-np.outer(times_s, decays_per_s))  # (time, partial)
    sums = levels @ np.eye(len(lines))[line_of_partial]  # (time, line): one frequency, one phase
    return (sums**2) @ k_weight(lines) ** 2


def _orders(f0_hz: float, most: int) -> np.ndarray:
    return np.arange(1, max(2, min(most, int(HIGHEST_PARTIAL_HZ / f0_hz)) + 1), dtype=float)


def _felt_piano(f0_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = _orders(f0_hz, 20)
    stiffness = 0.0003 * (f0_hz / 261.6) ** 0.9
    frequencies = n * f0_hz * np.sqrt((1 + stiffness * n**2) / (1 + stiffness))
    amplitudes = n**-1.1 * np.abs(np.sin(np.pi * n / 7.6)) * np.exp(-frequencies / 3000)
    t60_s = 9.0 * (261.6 / f0_hz) ** 0.55 / (1 + 0.35 * (n - 1))
    # A string's two polarisations: a prompt sound that falls fast and an aftersound that lingers.
    prompt = n <= 8
    return (
        np.concatenate([frequencies, frequencies[prompt]]),
        np.concatenate([amplitudes * np.where(prompt, 0.6, 1.0), 0.4 * amplitudes[prompt]]),
        np.concatenate([t60_s, 0.4 * t60_s[prompt]]),
    )


def _plucked(pluck_point: float, slope: float, cutoff_hz: float, t60_c4_s: float) -> Callable:
    def spectrum(f0_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = _orders(f0_hz, 18)
        frequencies = n * f0_hz * np.sqrt((1 + 0.00008 * n**2) / 1.00008)
        amplitudes = n**-slope * np.abs(np.sin(np.pi * n * pluck_point))
        amplitudes = amplitudes * np.exp(-frequencies / cutoff_hz)
        t60_s = t60_c4_s * (261.6 / f0_hz) ** 0.5 / (1 + 0.45 * (n - 1))
        return frequencies, amplitudes, t60_s

    return spectrum


def _bar(f0_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # A bar is tuned 1 : 4 : 10; the pair around the fundamental is the slow fan in the resonators.
    ratios = np.array([1.0, 4.0, 10.0])
    t60_s = np.array([7.0, 1.6, 0.4]) * (349.2 / f0_hz) ** 0.5
    amplitudes = np.array([1.0, 0.26, 0.05])
    fan_hz = 2.2
    return (
        np.concatenate([ratios * f0_hz, [f0_hz - fan_hz, f0_hz + fan_hz]]),
        np.concatenate([amplitudes, [0.05, 0.05]]),
        np.concatenate([t60_s, t60_s[:1], t60_s[:1]]),
    )


def _held(most: int, slope: float, cutoff_hz: float, depth: float) -> Callable:
    def spectrum(f0_hz: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = _orders(f0_hz, most)
        frequencies = n * f0_hz
        amplitudes = n**-slope * np.exp(-frequencies / cutoff_hz)
        # Each partial breathes at its own rate: two faint neighbours a fraction of a hertz away.
        # The golden ratio spreads the rates, so that no two partials breathe together for long.
        rates_hz = 0.09 + 0.28 * np.mod(0.618034 * n + 0.377 * np.log2(f0_hz), 1.0)
        return (
            np.concatenate([frequencies, frequencies - rates_hz, frequencies + rates_hz]),
            np.concatenate([amplitudes, depth * amplitudes, depth * amplitudes]),
            np.full(3 * len(n), np.inf),
        )

    return spectrum


PIANO = Voice("piano", 0.010, 0.9, 0.0, _felt_piano, ring_s=1.0, brightness=0.06)
HARP = Voice("harp", 0.008, 1.2, -0.5, _plucked(0.38, 1.0, 3000, 6.5), ring_s=1.6, brightness=0.05)
GUITAR = Voice(
    "guitar", 0.008, 0.7, -0.5, _plucked(0.23, 1.05, 2800, 5.2), ring_s=1.0, brightness=0.05
)
VIBRAPHONE = Voice("vibraphone", 0.012, 1.2, -1.5, _bar, ring_s=1.0, brightness=0.05)
BASS = Voice(
    "bass",
    0.025,
    0.5,
    -2.0,
    _plucked(0.31, 1.7, 700, 7.0),
    ring_s=0.2,
    brightness=0.2,
    phase=_QUADRATURE,
)
STRINGS = Voice("strings", 0.9, 0.9, -4.0, _held(10, 1.3, 1800, 0.06), held=True, phase=_QUADRATURE)
PAD = Voice("pad", 1.4, 1.4, -3.0, _held(7, 1.7, 1500, 0.07), held=True, phase=_QUADRATURE)
FLUTE = Voice("flute", 0.12, 0.4, -4.0, _held(4, 2.3, 2500, 0.04), held=True, phase=_QUADRATURE)

# General MIDI families in order; percussive and effect programs fall to the softest relative.
_VOICES_BY_PROGRAM: tuple[tuple[range, Voice], ...] = (
    (range(0, 8), PIANO),
    (range(8, 16), VIBRAPHONE),
    (range(16, 24), PAD),
    (range(24, 32), GUITAR),
    (range(32, 40), BASS),
    (range(40, 45), STRINGS),
    (range(45, 48), HARP),
    (range(48, 56), STRINGS),
    (range(56, 64), PAD),
    (range(64, 80), FLUTE),
    (range(80, 104), PAD),
    (range(104, 112), HARP),
    (range(112, 120), VIBRAPHONE),
    (range(120, 128), PAD),
)
