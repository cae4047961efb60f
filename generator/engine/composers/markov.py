"""MCMG: the Markov composer, in its strong form and in the paper's plain one.

Long-term memory is the variable-order chain of the training melodies (orders 0-8, interpolated
back-off, rhythm aware of the metrical position); short-term memory is the same kind of chain over
the piece's own melody so far, as in IDyOM. Both speak before every note; the guards speak last.
The plain form (`PLAIN`) is the paper's: the note before is all it knows, and nothing of the piece
itself.

References
----------
Pearce, M. T. and Wiggins, G. A. (2004). Improved methods for statistical modelling of monophonic
music. Journal of New Music Research 33(4), 367-385: long-term and short-term models together.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from generator.engine.brief import Brief
from generator.engine.composers.composer import Progress
from generator.engine.composers.foundation import Foundation, load_foundation
from generator.engine.composers.guards import MelodyGuard, MelodyNote
from generator.engine.composers.harmony import Chord
from generator.engine.composers.melody_tables import (
    INTERVAL_LIMIT,
    INTERVAL_SIZE,
    LONGEST_IOI,
    MAX_ORDER,
    RHYTHM_SIZE,
    interval_context,
    rhythm_context,
)
from generator.engine.composers.pacing import Pace
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.sampling import draw
from generator.engine.composers.theme import first_onset, last_onset, restate
from generator.engine.composers.weaving import BAR, Music, Stage, compose_long_form
from generator.engine.networks.backoff import BackoffTable
from generator.engine.networks.checkpoints import Checkpoint, load_checkpoint
from generator.engine.score.notes import Score
from generator.engine.tokens.vocabulary import METRES, position_ids

_GRID = 2
_LONGEST_NOTE = 16
_SHORT_TERM_ORDER = 4
# With 0.95, and 0.3 of the past, three of four nights of 45 minutes said the same four steps too
# often for the profile (0.61 of them; at most 0.60, people 0.45), and one night in twelve had no
# draw left. Now it is 0.52, and the first draw passes.
_NUCLEUS = 0.98


@dataclass(frozen=True)
class ChainSettings:
    """How far the chain looks back, and how much the piece's own past has to say."""

    max_order: int = MAX_ORDER
    short_term_share: float = 0.1


PLAIN = ChainSettings(max_order=1, short_term_share=0.0)


class ShortTermMemory:
    """The chain over the present piece: counts of what followed each recent context."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._counts: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(size))

    def learn(self, past: tuple, symbol: int) -> None:
        """Remember that `symbol` followed `past` (most recent last)."""
        for order in range(_SHORT_TERM_ORDER + 1):
            if order <= len(past):
                self._counts[past[len(past) - order :]][symbol] += 1

    def distribution(self, past: tuple) -> np.ndarray:
        """Return p(symbol | past) with interpolated back-off, shape (size,)."""
        p = np.full(self._size, 1.0 / self._size)
        for order in range(min(_SHORT_TERM_ORDER, len(past)) + 1):
            counts = self._counts.get(past[len(past) - order :])
            if counts is None:
                break
            total, types = counts.sum(), np.count_nonzero(counts)
            p = (counts + types * p) / (total + types)
        return p


class MarkovWriter:
    """Writes phrases note by note from the two memories.

    Parameters
    ----------
    brief : Brief
    guard : MelodyGuard
    rhythm, interval : BackoffTable
        The long-term memory.
    settings : ChainSettings
    """

    def __init__(
        self,
        brief: Brief,
        guard: MelodyGuard,
        rhythm: BackoffTable,
        interval: BackoffTable,
        settings: ChainSettings,
    ) -> None:
        self._orders = settings.max_order + 1
        self._share = settings.short_term_share
        self._mode = brief.mode.value
        self._guard = guard
        self._rhythm, self._interval = rhythm, interval
        self._short_rhythm = ShortTermMemory(RHYTHM_SIZE)
        self._short_interval = ShortTermMemory(INTERVAL_SIZE)
        self._learnt = 0

    def write(self, stage: Stage) -> Music:
        """Return the music of one phrase."""
        chords: list[Chord] = []
        accompaniment = []
        for bar in range(stage.phrase.n_bars):
            weights = stage.chord_weights(bar, [chord.degree for chord in chords])
            chords.append(stage.draw_chord(weights))
            accompaniment += stage.play(bar, chords[-1])
        melody = restate(stage, chords)
        pace = Pace(stage.phrase)
        pace.count = len(melody)
        onset = first_onset(stage)
        stop = last_onset(stage)
        while onset <= stop:
            chord = chords[(onset - stage.phrase.start) // BAR]
            pitch = self._next_pitch(stage, onset, chord)
            self._guard.push(onset, pitch)
            pace.count += 1
            melody.append(MelodyNote(onset, 1, pitch))
            onset += self._next_ioi(stage, onset, pace)
        self._remember()
        return Music(chords, accompaniment, melody)

    def _next_pitch(self, stage: Stage, onset: int, chord: Chord) -> int:
        allowed = stage.guard.weights(onset, chord)
        if not self._guard.pitches:
            return draw(allowed - 0.1 * np.abs(np.arange(len(allowed)) - 70), stage.rng)
        here = self._guard.pitches[-1]
        steps, iois = _symbols(self._guard.pitches, [*self._guard.onsets, onset])
        contexts = [
            interval_context(here, self._mode, steps, iois[:-1], order)
            for order in range(min(len(self._interval.orders), self._orders))
        ]
        long_term = self._interval.distribution(contexts)
        short_term = self._short_interval.distribution(tuple(steps[-_SHORT_TERM_ORDER:]))
        p = (1 - self._share) * long_term + self._share * short_term
        weights = np.full(len(allowed), -np.inf)
        first = here - INTERVAL_LIMIT
        span = slice(max(first, 0), min(first + INTERVAL_SIZE, len(allowed)))
        weights[span] = np.log(p[span.start - first : span.stop - first])
        return draw(weights + allowed, stage.rng, _NUCLEUS)

    def _next_ioi(self, stage: Stage, onset: int, pace: Pace) -> int:
        _, iois = _symbols(self._guard.pitches, self._guard.onsets)
        position = int(position_ids(np.array([onset]), METRES[0])[0])
        contexts = [
            rhythm_context(position, iois, order)
            for order in range(min(len(self._rhythm.orders), self._orders))
        ]
        long_term = self._rhythm.distribution(contexts)
        short_term = self._short_rhythm.distribution(tuple(iois[-_SHORT_TERM_ORDER:]))
        p = (1 - self._share) * long_term + self._share * short_term
        choices = np.arange(_GRID, _LONGEST_NOTE + 1, _GRID)
        choices = choices[(onset + choices) % _GRID == 0]
        weights = np.log(p[choices - 1]) + pace.fit(onset + choices)
        return int(choices[draw(weights, stage.rng, _NUCLEUS)])

    def _remember(self) -> None:
        steps, iois = _symbols(self._guard.pitches, self._guard.onsets, everything=True)
        for index in range(self._learnt, len(steps)):
            past = slice(max(index - _SHORT_TERM_ORDER, 0), index)
            self._short_interval.learn(tuple(steps[past]), steps[index])
            self._short_rhythm.learn(tuple(iois[past]), iois[index])
        self._learnt = len(steps)


class MarkovComposer:
    """The composer of the MCMG arm."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        foundation: Foundation,
        settings: ChainSettings | None = None,
    ) -> None:
        self.release = checkpoint.release
        self._foundation, self._settings = foundation, settings or ChainSettings()
        self._rhythm = BackoffTable.from_arrays("rhythm", RHYTHM_SIZE, checkpoint.arrays)
        self._interval = BackoffTable.from_arrays("interval", INTERVAL_SIZE, checkpoint.arrays)

    def compose(
        self, brief: Brief, rng: np.random.Generator, progress: Progress | None = None
    ) -> Score:
        """Return a score for the brief."""

        def new_writer(brief: Brief, guard: MelodyGuard) -> MarkovWriter:
            return MarkovWriter(brief, guard, self._rhythm, self._interval, self._settings)

        return compose_long_form(brief, rng, self._foundation, new_writer, progress)


@cache
def load_markov(weights: Path = WEIGHTS, settings: ChainSettings | None = None) -> MarkovComposer:
    """Return the composer of a folder of releases; CheckpointError where they are damaged."""
    checkpoint = load_checkpoint(weights / "markov")
    return MarkovComposer(checkpoint, load_foundation(weights), settings)


def _symbols(
    pitches: list[int], onsets: list[int], *, everything: bool = False
) -> tuple[list[int], list[int]]:
    """Return interval and IOI symbols of a melody, or of as much of it as a context can hold."""
    far = 0 if everything else MAX_ORDER + 2
    gaps = np.diff(np.array(onsets[-far:]))
    intervals = np.diff(np.array(pitches[-far:]))
    steps = np.clip(intervals, -INTERVAL_LIMIT, INTERVAL_LIMIT) + INTERVAL_LIMIT
    return steps.tolist(), (np.clip(gaps, 1, LONGEST_IOI) - 1).tolist()
