"""Additive synthesis with torch: timed notes in, stereo chunks out, in constant memory.

A damped partial is a power of one complex number, A z^t. Over blocks of B samples it is the product
of its values at the block starts (blocks x partials) and one table of a single block
(partials x B), so a note is one matrix product whatever its length, on a CPU or a GPU.

Conventions
-----------
K block, P partial, B sample in a block; times are absolute sample numbers, so that a note that
crosses chunk borders continues exactly where it was: nothing is carried but the list of notes.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from generator.engine.audio.performance import TimedNote
from generator.engine.audio.profile import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from generator.engine.audio.voices import Voice, voice_for_program

BLOCK_SAMPLES = 490
_BLOCKS = CHUNK_SAMPLES // BLOCK_SAMPLES
# Partials below this share of the loudest possible one are inaudible (-90 dB) and left out.
_INAUDIBLE = 10 ** (-90 / 20)
# Room for several notes at once below full scale; mastering sets the real level.
HEADROOM = 0.05
# A string struck again passes into the new sound this fast, so that the two do not add up.
_RESTRIKE_RELEASE_S = 0.15


def synthesise(
    notes: Sequence[TimedNote], n_samples: int, *, device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Yield the dry sound of the notes in chunks of five seconds; the last one may be shorter.

    Parameters
    ----------
    notes : sequence of TimedNote
        Sorted by onset.
    n_samples : int
        Length of the whole sound.
    device : str
        Where torch computes, "cpu" or "cuda".

    Yields
    ------
    ndarray of float32, shape (n, 2)
    """
    upcoming = deque(_sounds(notes))
    sounding: list[_Sound] = []
    for start in range(0, n_samples, CHUNK_SAMPLES):
        stop = start + CHUNK_SAMPLES
        while upcoming and upcoming[0].start < stop:
            sounding.append(upcoming.popleft())
        mix = torch.zeros(2, CHUNK_SAMPLES, device=device)
        for sound in sounding:
            _add(mix, sound, start, device)
        sounding = [sound for sound in sounding if sound.end > stop]
        yield mix.T[: n_samples - start].cpu().numpy()


@dataclass(frozen=True)
class _Sound:
    """A note on the sample grid: swells from `start`, is let go at `release`, ends at `end`."""

    voice: Voice
    pitch: int
    start: int
    release: int
    end: int
    amplitudes: np.ndarray
    left: float
    right: float


def _sounds(notes: Sequence[TimedNote]) -> list[_Sound]:
    """Put the notes on the sample grid; a struck string that is struck again starts anew."""
    next_strikes: dict[tuple[str, int], float] = {}
    sounds: list[_Sound] = []
    for note in reversed(notes):
        voice = voice_for_program(note.program)
        string = (voice.name, note.pitch)
        ring_until_s, release_s = note.offset_s + voice.ring_s, voice.release_s
        struck_again_s = next_strikes.get(string, math.inf)
        if not voice.held and struck_again_s < ring_until_s + release_s:
            ring_until_s, release_s = min(ring_until_s, struck_again_s), _RESTRIKE_RELEASE_S
        next_strikes[string] = note.onset_s
        sounds.append(_sound(note, voice, ring_until_s, release_s))
    return sounds[::-1]


def _sound(note: TimedNote, voice: Voice, ring_until_s: float, release_s: float) -> _Sound:
    start = max(0, round(note.onset_s * SAMPLE_RATE_HZ))
    release = max(start, round(ring_until_s * SAMPLE_RATE_HZ))
    gain = HEADROOM * note.gain * 10 ** (voice.level_db / 20)
    partials = voice.partials(note.pitch)
    angle = (note.pan + 1) * math.pi / 4
    return _Sound(
        voice=voice,
        pitch=note.pitch,
        start=start,
        release=release,
        end=release + round(release_s * SAMPLE_RATE_HZ),
        amplitudes=gain * partials.amplitudes * voice.darkening(note.pitch, note.loudness),
        left=math.cos(angle),
        right=math.sin(angle),
    )


def _add(mix: torch.Tensor, sound: _Sound, chunk_start: int, device: str) -> None:
    """Add what of a note lies in the chunk that starts at `chunk_start`."""
    first = max(sound.start - chunk_start, 0) // BLOCK_SAMPLES
    last = min(-(-(sound.end - chunk_start) // BLOCK_SAMPLES), _BLOCKS)
    begin = chunk_start + first * BLOCK_SAMPLES
    amplitudes = _amplitudes_at(sound, begin)
    if last <= first or not len(amplitudes):
        return
    n_partials = len(amplitudes)
    steps, table = _tables(sound.voice, sound.pitch, device)
    starts = torch.from_numpy(amplitudes.astype(np.complex64)).to(device)
    coefficients = torch.view_as_real(steps[: last - first, :n_partials] * starts)  # (K, P, 2)
    wave = coefficients.reshape(last - first, 2 * n_partials) @ table[: 2 * n_partials]  # (K, B)
    wave = wave.reshape(-1)
    _swell(wave, sound, begin)
    _let_go(wave, sound, begin)
    span = slice(first * BLOCK_SAMPLES, last * BLOCK_SAMPLES)
    mix[0, span].add_(wave, alpha=sound.left)
    mix[1, span].add_(wave, alpha=sound.right)


def _amplitudes_at(sound: _Sound, sample: int) -> np.ndarray:
    """Return the partials' complex amplitudes at a sample, the inaudible end of the list cut."""
    partials = sound.voice.partials(sound.pitch)
    since_strike_s = (sample - sound.start) / SAMPLE_RATE_HZ
    sizes = sound.amplitudes * np.exp(-partials.decays_per_s * since_strike_s)
    audible = np.flatnonzero(sizes > _INAUDIBLE * HEADROOM)
    count = audible[-1] + 1 if len(audible) else 0
    # Phases count from the start of the file, so that equal tones join and never cancel.
    turns = np.mod(partials.frequencies_hz * (sample / SAMPLE_RATE_HZ), 1.0)
    return (sizes * np.exp(1j * (2 * np.pi * turns + partials.phases)))[:count]


@lru_cache(maxsize=160)
def _tables(voice: Voice, pitch: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Powers of each partial: at the block starts (K, P), complex, and inside a block (2P, B)."""
    partials = voice.partials(pitch)
    exponents = (
        -partials.decays_per_s + 2j * np.pi * partials.frequencies_hz
    ) / SAMPLE_RATE_HZ  # (P,)
    steps = np.exp(np.arange(_BLOCKS)[:, None] * BLOCK_SAMPLES * exponents)  # (K, P)
    inside = np.exp(exponents[:, None] * np.arange(BLOCK_SAMPLES))  # (P, B)
    # Re(c z) = Re c Re z - Im c Im z, as interleaved rows to match view_as_real.
    rows = np.stack([inside.real, -inside.imag], axis=1).reshape(-1, BLOCK_SAMPLES)
    return (
        torch.from_numpy(steps.astype(np.complex64)).to(device),
        torch.from_numpy(rows.astype(np.float32)).to(device),
    )


def _swell(wave: torch.Tensor, sound: _Sound, begin: int) -> None:
    """Fade in over the attack, from exact silence before the note."""
    attack = max(1, round(sound.voice.attack_s * SAMPLE_RATE_HZ))
    offset = sound.start - begin
    if offset + attack <= 0:
        return
    wave[: max(offset, 0)] = 0.0
    ramp = wave[max(offset, 0) : offset + attack]
    position = torch.arange(len(ramp), device=wave.device) + max(-offset, 0)
    ramp *= torch.sin(math.pi / 2 * position / attack) ** 2


def _let_go(wave: torch.Tensor, sound: _Sound, begin: int) -> None:
    """Fade out over the release, to exact silence after the note."""
    length = max(1, sound.end - sound.release)
    offset = sound.release - begin
    if offset >= len(wave):
        return
    ramp = wave[max(offset, 0) : max(offset + length, 0)]
    position = torch.arange(len(ramp), device=wave.device) + max(-offset, 0)
    ramp *= torch.cos(math.pi / 2 * position / length) ** 2
    wave[max(offset + length, 0) :] = 0.0
