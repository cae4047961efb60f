"""Chords as something to listen to: bass, an inner voice that moves as its style does, pad.

A texture is thinned where notes are due to be few; a broken chord is turned or shifted from bar to
bar, so that it need not be as the one before.
Pitches are in the key of C; `transposition` says how far the piece will be moved, so that registers
hold in the key that sounds: bass 36-52, inner voice and pad 48-67 (profile ``sleep-45/v1``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generator.engine.composers.form import BAR
from generator.engine.composers.harmony import Chord, nearest_voicing
from generator.engine.composers.textures import N_PLACES, N_VOICES, Texture
from generator.engine.score.notes import Role

_BASS_RANGE = (36, 52)
_INNER_RANGE = (50, 66)
_PAD_RANGE = (48, 67)
_PLACE = BAR // N_PLACES
# Which of the eight places of a bar a texture keeps longest as it thins out.
_PRIORITY = (0, 4, 2, 6, 5, 3, 7, 1)
# So many notes make two bass notes a bar and three of the pad; below, one and two.
_ENOUGH_FOR_TWO, _ENOUGH_FOR_THREE = 6, 8
# A bar may have so many notes more than are due, for the sake of whole chords.
_OVER = 2
_TURNED, _SHIFTED = 0.3, 0.4
PAD_NOTES = 2.5


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
        self._voicing = nearest_voicing(chord, self._voicing, *self._inner, N_VOICES)
        n_pad = 3 if count >= _ENOUGH_FOR_THREE else 2
        notes = [PartNote(start, pitch, BAR, Role.PAD) for pitch in self._pad_voicing[-n_pad:]]
        bass = self._bass_notes(start, chord, texture, count)
        notes += bass
        notes += self._inner_notes(start, texture, max(count - n_pad - len(bass), 2))
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

    def _bass_notes(self, start: int, chord: Chord, texture: Texture, count: int) -> list[PartNote]:
        first = self._bass_pitch(chord.root)
        self._last_bass = first
        if not texture.second_bass or count < _ENOUGH_FOR_TWO:
            return [PartNote(start, first, BAR, Role.BASS)]
        second = self._bass_pitch(chord.pitch_classes[2]) if texture.leaves_root else first
        place = texture.second_bass * _PLACE
        return [
            PartNote(start, first, place, Role.BASS),
            PartNote(start + place, second, BAR - place, Role.BASS),
        ]

    def _inner_notes(self, start: int, texture: Texture, count: int) -> list[PartNote]:
        strikes = self._varied(_thinned(texture.strikes, count))
        onsets = [place * _PLACE for place, _ in strikes]
        return _held(start, onsets, [self._voicing[voice] for _, voice in strikes])

    def _varied(self, strikes: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
        """Return a broken chord with another voice first, or its last place moved; or as it is."""
        places = [place for place, _ in strikes]
        if len(set(places)) < len(places):
            return strikes
        if self._rng.random() < _TURNED:
            turn = int(self._rng.integers(1, N_VOICES))
            strikes = [(place, (voice + turn) % N_VOICES) for place, voice in strikes]
        free = [place for place in range(1, N_PLACES) if place not in places]
        if len(places) > 1 and free and self._rng.random() < _SHIFTED:
            late = max(places, key=_PRIORITY.index)
            near = min(free, key=lambda place: (abs(place - late), _PRIORITY.index(place)))
            strikes = [(near if place == late else place, voice) for place, voice in strikes]
        return sorted(strikes)


def _thinned(strikes: Sequence[tuple[int, int]], count: int) -> Sequence[tuple[int, int]]:
    """Return the strikes without the weakest places, so that about `count` are left.

    What is struck together stays together: a style that strikes chords is not made to break them.
    """
    kept = list(strikes)
    places = sorted({place for place, _ in strikes}, key=_PRIORITY.index)
    while len(kept) > count + _OVER and len(places) > 1:
        weakest = places.pop()
        kept = [strike for strike in kept if strike[0] != weakest]
    return kept


def _held(start: int, onsets: Sequence[int], pitches: Sequence[int]) -> list[PartNote]:
    """Return notes that ring until the bar ends or their pitch is struck again."""
    notes = []
    for index, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        again = [o for o, p in list(zip(onsets, pitches, strict=True))[index + 1 :] if p == pitch]
        end = min([*again, BAR])
        notes.append(PartNote(start + onset, pitch, end - onset, Role.INNER))
    return notes
