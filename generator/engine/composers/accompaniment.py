"""Chords as something to listen to: bass, broken or rolled inner voice, pad; never twice the same.

Pitches are in the key of C; `transposition` says how far the piece will be moved, so that registers
hold in the key that sounds: bass 36-52, inner voice and pad 48-67 (profile ``sleep-45/v1``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from generator.engine.composers.form import BAR
from generator.engine.composers.harmony import Chord, nearest_voicing
from generator.engine.score.notes import Role

_BASS_RANGE = (36, 52)
_INNER_RANGE = (50, 66)
_PAD_RANGE = (48, 67)
_PLACE = 2
# Which of the eight places of a bar a broken chord keeps longest as it thins out.
_PRIORITY = (0, 4, 2, 6, 5, 3, 7, 1)


class Texture(StrEnum):
    """How the inner voice moves; a theme keeps its texture when it returns."""

    RISING = "rising"
    ARCH = "arch"
    ROCKING = "rocking"
    ROLLED = "rolled"


@dataclass(frozen=True, order=True)
class PartNote:
    """A note of the accompaniment on the composing grid, pitch in the key of C."""

    onset: int
    pitch: int
    duration: int
    role: Role


class Accompanist:
    """Plays one bar at a time and remembers its voicing, so that chords connect.

    Parameters
    ----------
    transposition : int
        Semitones from C to the key that sounds.
    rng : numpy.random.Generator
    """

    def __init__(self, transposition: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._bass = tuple(pitch - transposition for pitch in _BASS_RANGE)
        self._inner = tuple(pitch - transposition for pitch in _INNER_RANGE)
        self._pad = tuple(pitch - transposition for pitch in _PAD_RANGE)
        self._voicing: tuple[int, ...] = ()
        self._pad_voicing: tuple[int, ...] = ()
        self._last_bass: int | None = None

    def bar(self, start: int, chord: Chord, texture: Texture, n_notes: float) -> list[PartNote]:
        """Return the notes of one bar, in order of onset.

        Parameters
        ----------
        start : int
            First place of the bar on the composing grid.
        chord : Chord
        texture : Texture
        n_notes : float
            How many notes to play, pad and bass included; the fraction is left to chance.
        """
        count = int(n_notes + self._rng.random())
        self._pad_voicing = nearest_voicing(chord, self._pad_voicing, *self._pad, 3)
        self._voicing = nearest_voicing(chord, self._voicing, *self._inner, 3)
        n_pad = 3 if count >= 8 else 2
        n_bass = 2 if count >= 9 and self._rng.random() < 0.4 else 1
        notes = [PartNote(start, pitch, BAR, Role.PAD) for pitch in self._pad_voicing[-n_pad:]]
        notes += self._bass_notes(start, chord, n_bass)
        notes += self._inner_notes(start, texture, max(count - n_pad - n_bass, 2))
        return sorted(notes)

    def last_chord(self, start: int, chord: Chord, length: int) -> list[PartNote]:
        """Return the closing chord, rolled gently and held."""
        voicing = nearest_voicing(chord, self._voicing, *self._inner, 3)
        pad = nearest_voicing(chord, self._pad_voicing, *self._pad, 3)
        notes = [PartNote(start, pitch, length, Role.PAD) for pitch in pad]
        notes += [PartNote(start, self._bass_pitch(chord.root), length, Role.BASS)]
        notes += [
            PartNote(start + 2 * index, pitch, length - 2 * index, Role.INNER)
            for index, pitch in enumerate(voicing)
        ]
        return sorted(notes)

    def _bass_pitch(self, pitch_class: int) -> int:
        low, high = self._bass
        choices = [pitch for pitch in range(low, high + 1) if (pitch - pitch_class) % 12 == 0]
        centre = (low + high) / 2 if self._last_bass is None else self._last_bass
        return min(choices, key=lambda pitch: abs(pitch - centre) + 0.2 * abs(pitch - low - 6))

    def _bass_notes(self, start: int, chord: Chord, count: int) -> list[PartNote]:
        first = self._bass_pitch(chord.root)
        self._last_bass = first
        if count == 1:
            return [PartNote(start, first, BAR, Role.BASS)]
        second = self._bass_pitch(chord.pitch_classes[2])
        half = BAR // 2
        return [
            PartNote(start, first, half, Role.BASS),
            PartNote(start + half, second, half, Role.BASS),
        ]

    def _inner_notes(self, start: int, texture: Texture, count: int) -> list[PartNote]:
        voices = self._voicing
        if texture is Texture.ROLLED:
            return self._rolled(start, voices, count)
        places = sorted(self._places(min(count, BAR // _PLACE)))
        order = _ORDERS[texture](len(voices))
        turn = int(self._rng.integers(len(order))) if self._rng.random() < 0.3 else 0
        pitches = [voices[order[(index + turn) % len(order)]] for index in range(len(places))]
        return _held(start, [place * _PLACE for place in places], pitches)

    def _places(self, count: int) -> Sequence[int]:
        kept = list(_PRIORITY[:count])
        # One late place may move, so that neighbouring bars differ.
        if count < len(_PRIORITY) and count > 2 and self._rng.random() < 0.4:
            kept[-1] = _PRIORITY[int(self._rng.integers(count, len(_PRIORITY)))]
        return kept

    def _rolled(self, start: int, voices: tuple[int, ...], count: int) -> list[PartNote]:
        """Return slow rolls from the bottom, one or two a bar."""
        onsets = list(range(0, 2 * len(voices), _PLACE))
        pitches = list(voices)
        if count > len(voices):
            again = min(count - len(voices), len(voices))
            onsets += [BAR // 2 + _PLACE * index for index in range(again)]
            pitches += voices[-again:]
        return _held(start, onsets, pitches)


def _held(start: int, onsets: Sequence[int], pitches: Sequence[int]) -> list[PartNote]:
    """Return notes that ring until the bar ends or their pitch is struck again."""
    notes = []
    for index, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        again = [o for o, p in list(zip(onsets, pitches, strict=True))[index + 1 :] if p == pitch]
        end = min([*again, BAR])
        notes.append(PartNote(start + onset, pitch, end - onset, Role.INNER))
    return notes


_ORDERS = {
    Texture.RISING: lambda n: list(range(n)),
    Texture.ARCH: lambda n: [*range(n), *range(n - 2, 0, -1)],
    Texture.ROCKING: lambda n: [0, n - 1, n // 2, n - 1],
}
