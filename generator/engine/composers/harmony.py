"""Chords: a chain over scale degrees, learnt from bars of the training pieces, bent to cadences.

A phrase has one chord a bar of the composing grid. The chain knows the two chords before; its
probabilities are a blend of the styles' own counts. Cadences are not hoped for but asked for: a
phrase is drawn from all chord sequences that end as its cadence demands (forward filtering,
backward sampling).

Over the dominant of minor the seventh degree is raised in every part, as people raise it: the chord
is major and has the leading note. Elsewhere minor is the natural scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generator.engine.brief import Mode, Style
from generator.engine.score.scales import LEADING_NOTE, SCALES, SEVENTH, scale_mask, triad

N_DEGREES = 7
TONIC, SUBDOMINANT, DOMINANT = 0, 3, 4
# A diminished triad unsettles; calm music does without it.
_DIMINISHED = {"major": 6, "minor": 1}
# Chords that stay for a second bar are common in the corpus; over slow bars they stand still.
_STAYING = 0.35
_SMOOTHING = 0.3


@dataclass(frozen=True)
class HarmonyTable:
    """Counts of degree after two degrees, shape (style, mode, 7, 7, 7)."""

    counts: np.ndarray

    def chain(self, styles: Mapping[Style, float], mode: Mode, warmth: float = 0.0) -> np.ndarray:
        """Return p(degree | two before), shape (7, 7, 7), blended over the styles.

        Parameters
        ----------
        styles : mapping of Style to float
        mode : Mode
        warmth : float
            0-1; flattens the chain towards its own average over contexts.
        """
        index = list(Mode).index(mode)
        blended = np.zeros((N_DEGREES,) * 3)
        for style, weight in styles.items():
            counts = self.counts[list(Style).index(style), index].astype(float)
            bigram = counts.sum(axis=0, keepdims=True)
            own = counts + 2.0 * bigram / np.maximum(bigram.sum(axis=2, keepdims=True), 1.0)
            own += _SMOOTHING
            blended += weight * own / own.sum(axis=2, keepdims=True)
        blended[:, :, _DIMINISHED[mode]] = 0.0
        stay = np.arange(N_DEGREES)
        blended[:, stay, stay] *= _STAYING
        average = blended.mean(axis=(0, 1), keepdims=True)
        blended = (1 - warmth) * blended + warmth * average
        return blended / blended.sum(axis=2, keepdims=True)


def endings(chain: np.ndarray, n_bars: int, goal: Sequence[int]) -> np.ndarray:
    """Return p(the phrase ends in `goal` | last two degrees), shape (n_bars + 1, 7, 7).

    Row k is the outlook after k bars; multiply the chain by row k + 1 to draw bar k.
    """
    outlook = np.zeros((n_bars + 1, N_DEGREES, N_DEGREES))
    outlook[n_bars] = 1.0
    for bar in range(n_bars - 1, -1, -1):
        allowed = np.ones(N_DEGREES)
        from_end = n_bars - 1 - bar
        if from_end < len(goal):
            allowed[:] = 1e-9
            allowed[goal[len(goal) - 1 - from_end]] = 1.0
        outlook[bar] = np.einsum("abc,bc,c->ab", chain, outlook[bar + 1], allowed)
        chain_step = outlook[bar].max()
        outlook[bar] /= max(chain_step, 1e-300)
    return outlook


def degree_weights(
    chain: np.ndarray, outlook: np.ndarray, bar: int, before: tuple[int, int], goal: Sequence[int]
) -> np.ndarray:
    """Return the probability of each degree for one bar of a phrase, shape (7,)."""
    n_bars = len(outlook) - 1
    weights = chain[before] * outlook[bar + 1][before[1]]
    from_end = n_bars - 1 - bar
    if from_end < len(goal):
        only = np.zeros(N_DEGREES)
        only[goal[len(goal) - 1 - from_end]] = 1.0
        weights = only
    return weights / weights.sum()


@dataclass(frozen=True)
class Chord:
    """A chord of the key: its degree and its pitch classes above the tonic, root first."""

    degree: int
    pitch_classes: tuple[int, ...]

    @property
    def root(self) -> int:
        """The pitch class of the root."""
        return self.pitch_classes[0]

    @property
    def leads(self) -> bool:
        """Whether the leading note belongs to it, so that minor raises its seventh over it."""
        return LEADING_NOTE in self.pitch_classes


def chord_of(degree: int, mode: str, *, seventh: bool = False) -> Chord:
    """Return the triad, or seventh chord, on a degree; the dominant is major in minor too."""
    classes = triad(degree, mode)
    if degree == DOMINANT:
        root, _, fifth = classes
        classes = (root, LEADING_NOTE, fifth)
    if seventh:
        classes = (*classes, SCALES[mode][(degree + 6) % 7])
    return Chord(degree, classes)


def raised(pitches: np.ndarray) -> np.ndarray:
    """Return pitches (tonic at C) with the natural seventh of minor made the leading note."""
    return np.where(pitches % 12 == SEVENTH, pitches + 1, pitches)


def key_over(chord: Chord, mode: str) -> np.ndarray:
    """Return which of the 12 pitch classes belong to the key while a chord sounds, bool."""
    mask = scale_mask(0, mode)
    if chord.leads and mode == "minor":
        mask[[SEVENTH, LEADING_NOTE]] = False, True
    return mask


def nearest_voicing(
    chord: Chord, before: Sequence[int], low: int, high: int, n_voices: int
) -> tuple[int, ...]:
    """Return the close voicing of the chord within [low, high] that moves least from `before`.

    Parameters
    ----------
    chord : Chord
    before : sequence of int
        The pitches of the last voicing; empty at the start.
    low, high : int
        Pitches, in the same octave numbering as MIDI, tonic = C.
    n_voices : int
    """
    centre = (low + high) / 2
    pool = [p for p in range(low, high + 1) if p % 12 in {c % 12 for c in chord.pitch_classes}]
    candidates = [
        tuple(pool[start : start + n_voices]) for start in range(max(len(pool) - n_voices + 1, 1))
    ]
    target = list(before) or [centre] * n_voices

    def cost(voicing: tuple[int, ...]) -> float:
        move = sum(abs(a - b) for a, b in zip(voicing, target, strict=False))
        return move + 0.3 * abs(float(np.mean(voicing)) - centre)

    return min(candidates, key=cost)
