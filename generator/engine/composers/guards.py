"""What no melody of ours does, whoever composes it: leave key or range, leap, loop, or copy.

The guards speak as additive log-weights over pitches, so that they can be put on a network's logits
and on a Markov chain's probabilities alike; forbidden is minus infinity. Softer taste (chord tones
on strong beats, steps before leaps) is weighed in the same currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from generator.engine.composers.harmony import DOMINANT, TONIC, Chord, chord_of, key_over
from generator.engine.metrics.originality import OriginalityFilter

N_MIDI_PITCHES = 128
MAX_LEAP = 12
LONGEST_REPEAT = 3
_LOOP_PERIODS = range(2, 9)
_LOOP_TIMES = 3
_FORBIDDEN = -np.inf
# Steps in minor that nobody sings, by the pitch class they leave: the augmented second, and from
# one seventh degree to the other.
_AWKWARD = {8: (3,), 10: (1,), 11: (-3, -1)}
_STRONG_PLACES = 8
_INTERVAL_TASTE = np.array(
    [-1.1, 0.6, 0.6, 0.1, 0.0, -0.4, -1.2, -0.6, -1.6, -1.9, -2.3, -2.6, -2.3]
)


@dataclass(frozen=True)
class MelodyNote:
    """A melody note on the composing grid, pitch in the key of C."""

    onset: int
    duration: int
    pitch: int


class MelodyGuard:
    """Watches one melody as it grows.

    Parameters
    ----------
    mode : str
    low, high : int
        The range, MIDI pitches with the tonic at C.
    originals : OriginalityFilter
        Knows the 12-grams of the training melodies.
    """

    def __init__(self, mode: str, low: int, high: int, originals: OriginalityFilter) -> None:
        self.low, self.high = low, high
        self._originals = originals
        pitches = np.arange(N_MIDI_PITCHES)
        inside = (pitches >= low) & (pitches <= high)
        # Over chords with the leading note, and over all others.
        self._keys = {
            chord.leads: np.where(inside & key_over(chord, mode)[pitches % 12], 0.0, _FORBIDDEN)
            for chord in (chord_of(DOMINANT, mode), chord_of(TONIC, mode))
        }
        self._awkward = _AWKWARD if mode == "minor" else {}
        self.onsets: list[int] = []
        self.pitches: list[int] = []

    def push(self, onset: int, pitch: int) -> None:
        """Take one more note into the melody."""
        self.onsets.append(onset)
        self.pitches.append(pitch)

    def weights(self, onset: int, chord: Chord) -> np.ndarray:
        """Return the log-weight of each MIDI pitch for a note at `onset`, shape (128,).

        At least one pitch is always allowed.
        """
        key = self._keys[chord.leads]
        weights = key + chord_taste(onset, chord)
        if not self.pitches:
            return weights
        distance = np.abs(np.arange(N_MIDI_PITCHES) - self.pitches[-1])
        weights = weights + _INTERVAL_TASTE[np.minimum(distance, MAX_LEAP)]
        weights[distance > MAX_LEAP] = _FORBIDDEN
        for step in self._awkward.get(self.pitches[-1] % 12, ()):
            weights[self.pitches[-1] + step] = _FORBIDDEN
        self._forbid_loops(weights)
        self._forbid_copies(weights, onset)
        if np.isneginf(weights).all():
            weights = key + np.where(distance <= MAX_LEAP, -0.1 * distance, _FORBIDDEN)
            weights[self.pitches[-1]] = _FORBIDDEN
        return weights

    def allows(self, onset: int, pitch: int, chord: Chord) -> bool:
        """Return whether a note may come next."""
        return bool(np.isfinite(self.weights(onset, chord)[pitch]))

    def _forbid_loops(self, weights: np.ndarray) -> None:
        recent = self.pitches
        if recent[-LONGEST_REPEAT:] == [recent[-1]] * LONGEST_REPEAT:
            weights[recent[-1]] = _FORBIDDEN
        for period in _LOOP_PERIODS:
            span = period * _LOOP_TIMES
            if len(recent) < span - 1:
                break
            tail = recent[-span + 1 :]
            if all(a == b for a, b in zip(tail, tail[period:], strict=False)):
                weights[recent[-period]] = _FORBIDDEN

    def _forbid_copies(self, weights: np.ndarray, onset: int) -> None:
        candidates = np.flatnonzero(np.isfinite(weights))
        copies = self._originals.are_copies(self.onsets, self.pitches, onset, candidates)
        weights[candidates[copies]] = _FORBIDDEN


def chord_taste(onset: int, chord: Chord) -> np.ndarray:
    """Return how well each pitch suits the chord at this place, log-weights, shape (128,)."""
    strength = 1.3 if onset % _STRONG_PLACES == 0 else 0.7 if onset % 4 == 0 else 0.2
    return _taste(tuple(chord.pitch_classes), strength)


@cache
def _taste(pitch_classes: tuple[int, ...], strength: float) -> np.ndarray:
    classes = np.arange(N_MIDI_PITCHES) % 12
    tones = np.isin(classes, [c % 12 for c in pitch_classes])
    # A semitone above a chord tone rubs against it; a ninth above is sweet.
    rubs = np.isin(classes, [(c + 1) % 12 for c in pitch_classes]) & ~tones
    taste = np.where(tones, strength, np.where(rubs, -strength - 0.5, 0.0))
    taste.setflags(write=False)
    return taste


def note_pairs(notes: Sequence[MelodyNote]) -> tuple[np.ndarray, np.ndarray]:
    """Return onsets and pitches of melody notes as arrays."""
    return np.array([n.onset for n in notes]), np.array([n.pitch for n in notes])
