"""GAMC: the genetic composer, in its strong form and in a plain one.

A genome is the melody of one phrase on a grid of eighths: each slot holds a degree or nothing.
Fitness is closeness to the phrases of the corpus (Mahalanobis distance of ten features), consonance
with the chords, small intervals, a contour, and the density that the plan asks for. Tournaments of
three, crossover at bar lines, musical mutations, an elite of four. All genomes of a generation are
measured at once. The plain form (`PLAIN`), as a textbook would have it, knows nothing of the corpus
and one mutation; the paper does not describe its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from generator.engine.brief import Brief, Style
from generator.engine.composers.composer import Progress
from generator.engine.composers.foundation import Foundation, load_foundation
from generator.engine.composers.guards import MelodyGuard, MelodyNote, chord_taste
from generator.engine.composers.harmony import Chord, raised
from generator.engine.composers.releases import WEIGHTS
from generator.engine.composers.theme import first_onset, last_onset, restated
from generator.engine.composers.weaving import BAR, Music, Stage, compose_long_form
from generator.engine.metrics.phrases import SLOTS_PER_BAR, phrase_features, previous_slot
from generator.engine.networks.checkpoints import Checkpoint, load_checkpoint
from generator.engine.score.notes import Score
from generator.engine.score.scales import scale_mask

_PLACES_PER_SLOT = BAR // SLOTS_PER_BAR
_REST = -1
_TOURNAMENT = 3
_ELITE = 4
_WEIGHT_COUNT = 1.2
_WEIGHT_CHORD = 0.8
_WEIGHT_INTERVAL = 0.25
_WEIGHT_CONTOUR = 2.0
_WEIGHT_END = 1.5
# Where notes like to begin in a bar of eighths, for the first generation.
_METRICAL_WEIGHT = np.array([1.0, 0.25, 0.7, 0.3, 0.9, 0.25, 0.6, 0.35])


@dataclass(frozen=True)
class Effort:
    """How long and by what the search goes.

    Genomes in a generation, generations a phrase, the weight of closeness to the corpus, and how
    many of the mutations it may use.
    """

    population: int = 96
    generations: int = 60
    corpus_weight: float = 0.5
    n_mutations: int = 7


PLAIN = Effort(population=32, generations=30, corpus_weight=0.0, n_mutations=1)


@dataclass(frozen=True)
class CorpusAim:
    """What phrases of the corpus look like: feature means by style, one inverse covariance."""

    means: np.ndarray
    precision: np.ndarray

    def mean_for(self, brief: Brief) -> np.ndarray:
        """Return the feature means blended by the brief's style weights."""
        styles = list(Style)
        return sum(w * self.means[styles.index(style)] for style, w in brief.styles.items())


class Search:
    """The evolution of one phrase.

    Parameters
    ----------
    stage : Stage
    chords : list of Chord
    aim : CorpusAim
    effort : Effort
    """

    def __init__(self, stage: Stage, chords: list[Chord], aim: CorpusAim, effort: Effort) -> None:
        self._rng, self._effort = stage.rng, effort
        guard = stage.guard
        pitches = np.arange(guard.low, guard.high + 1)
        self.scale = pitches[scale_mask(0, stage.brief.mode.value)[pitches % 12]]
        self._slots = stage.phrase.n_bars * SLOTS_PER_BAR
        start = stage.phrase.start
        over = [chords[slot // SLOTS_PER_BAR] for slot in range(self._slots)]
        # What a degree sounds as in each slot.
        self.sung = np.stack([raised(self.scale) if chord.leads else self.scale for chord in over])
        self._taste = np.stack(
            [
                chord_taste(start + slot * _PLACES_PER_SLOT, chord)[self.sung[slot]]
                for slot, chord in enumerate(over)
            ]
        )
        self._aim_mean, self._precision = aim.mean_for(stage.brief), aim.precision
        self._first = (first_onset(stage) - start) // _PLACES_PER_SLOT
        self._last = (last_onset(stage) - start) // _PLACES_PER_SLOT
        given = np.full(self._slots, _REST)
        for note in stage.given:
            slot = (note.onset - start) // _PLACES_PER_SLOT
            given[slot] = int(np.abs(self.scale - note.pitch).argmin())
        self._given = given[: self._first]
        self._target = stage.phrase.melody_notes * stage.phrase.n_bars
        middle = (guard.low + guard.high) // 2
        self._entry = guard.pitches[-1] if guard.pitches else middle
        self._contour = self._draw_contour()

    def run(self) -> np.ndarray:
        """Return the fittest genome: an index into `scale`, or -1, for each slot."""
        population = self._first_generation()
        fitness = self._fitness(population)
        for _ in range(self._effort.generations):
            order = np.argsort(-fitness, kind="stable")
            population, fitness = population[order], fitness[order]
            parents = self._tournament(fitness)
            children = self._crossed(population[parents[0]], population[parents[1]])
            children = self._mutated(children)
            children[:_ELITE] = population[:_ELITE]
            population, fitness = children, self._fitness(children)
        return population[int(fitness.argmax())]

    def _draw_contour(self) -> np.ndarray:
        """Return where the phrase shall lie within its range, 0-1 for each slot."""
        way = np.linspace(0.0, 1.0, self._slots)
        peak = float(self._rng.uniform(0.25, 0.75))
        height = np.where(way < peak, way / peak, (1 - way) / (1 - peak))
        low, high = np.sort(self._rng.uniform(0.15, 0.85, size=2))
        return low + (high - low) * height

    def _first_generation(self) -> np.ndarray:
        shape = (self._effort.population, self._slots)
        weight = np.tile(_METRICAL_WEIGHT, self._slots // SLOTS_PER_BAR)
        rate = np.minimum(weight * self._target / weight.sum(), 0.95)
        begins = self._rng.random(shape) < rate
        walk = np.cumsum(self._rng.integers(-1, 2, size=shape), axis=1)
        centre = self._contour * (len(self.scale) - 1)
        degrees = np.clip(np.rint(centre + walk % 3 - 1), 0, len(self.scale) - 1).astype(int)
        return self._pinned(np.where(begins, degrees, _REST))

    def _pinned(self, population: np.ndarray) -> np.ndarray:
        """Return the genomes with given notes in place and nothing after the last allowed slot."""
        population[:, : self._first] = self._given
        population[:, self._last + 1 :] = _REST
        return population

    def _fitness(self, population: np.ndarray) -> np.ndarray:
        begins = population >= 0
        degrees = np.maximum(population, 0)
        slots = np.arange(self._slots)
        pitches = self.sung[slots, degrees]
        count = begins.sum(axis=1)
        off = phrase_features(begins, pitches) - self._aim_mean
        distance = np.einsum("pf,fg,pg->p", off, self._precision, off)
        chord = np.where(begins, self._taste[slots, degrees], 0.0).sum(axis=1)
        before = previous_slot(begins)
        rows = np.arange(len(population))[:, None]
        came = np.where(before >= 0, pitches[rows, np.maximum(before, 0)], self._entry)
        size = np.where(begins, np.abs(pitches - came), 0)
        interval = np.maximum(size - 2, 0).sum(axis=1) + 6.0 * (size > 9).sum(axis=1)
        interval = interval + 2.0 * (begins & (size == 0)).sum(axis=1)
        height = degrees / (len(self.scale) - 1)
        contour = np.where(begins, (height - self._contour) ** 2, 0.0).sum(axis=1)
        last = np.where(begins, slots, -1).max(axis=1)
        end = np.where(last >= 0, self._taste[last, degrees[rows[:, 0], last]], -2.0)
        return (
            -self._effort.corpus_weight * distance
            - _WEIGHT_COUNT * (count - self._target) ** 2 / 2
            + _WEIGHT_CHORD * chord
            - _WEIGHT_INTERVAL * interval
            - _WEIGHT_CONTOUR * contour
            + _WEIGHT_END * end
        )

    def _tournament(self, fitness: np.ndarray) -> np.ndarray:
        """Return two rows of parents; the population is sorted, so the smallest index wins."""
        shape = (2, self._effort.population, _TOURNAMENT)
        return self._rng.integers(len(fitness), size=shape).min(axis=2)

    def _crossed(self, mothers: np.ndarray, fathers: np.ndarray) -> np.ndarray:
        """Return children that change parent at one bar line."""
        n_bars = self._slots // SLOTS_PER_BAR
        cut = self._rng.integers(1, n_bars + 1, size=len(mothers)) * SLOTS_PER_BAR
        return np.where(np.arange(self._slots) < cut[:, None], mothers, fathers)

    def _mutated(self, population: np.ndarray) -> np.ndarray:
        mutations = _MUTATIONS[: self._effort.n_mutations]
        chosen = self._rng.integers(len(mutations) + 1, size=len(population))
        for index, mutate in enumerate(mutations):
            rows = np.flatnonzero(chosen == index)
            if len(rows):
                population[rows] = mutate(population[rows], len(self.scale), self._rng)
        return self._pinned(population)


Mutation = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def _nudge(genomes: np.ndarray, n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Move some notes by a step or two."""
    move = rng.integers(-2, 3, size=genomes.shape) * (rng.random(genomes.shape) < 0.2)
    return np.where(genomes >= 0, np.clip(genomes + move, 0, n_degrees - 1), genomes)


def _split_or_merge(genomes: np.ndarray, n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Begin a note in an empty slot, or let the note before ring on."""
    slot = rng.integers(genomes.shape[1], size=len(genomes))
    rows = np.arange(len(genomes))
    neighbour = genomes[rows, np.maximum(slot - 1, 0)]
    fresh = np.where(neighbour >= 0, neighbour, rng.integers(n_degrees, size=len(genomes)))
    fresh = np.clip(fresh + rng.integers(-1, 2, size=len(genomes)), 0, n_degrees - 1)
    genomes[rows, slot] = np.where(genomes[rows, slot] >= 0, _REST, fresh)
    return genomes


def _shift_onset(genomes: np.ndarray, _n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Let a note trade places with the slot before it."""
    slot = rng.integers(1, genomes.shape[1], size=len(genomes))
    rows = np.arange(len(genomes))
    here, there = genomes[rows, slot].copy(), genomes[rows, slot - 1].copy()
    genomes[rows, slot], genomes[rows, slot - 1] = there, here
    return genomes


def _transpose_bar(genomes: np.ndarray, n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Move one bar up or down the scale."""
    bars = genomes.reshape(len(genomes), -1, SLOTS_PER_BAR)
    rows, bar = np.arange(len(genomes)), rng.integers(bars.shape[1], size=len(genomes))
    move = rng.choice((-2, -1, 1, 2), size=(len(genomes), 1))
    picked = bars[rows, bar]
    bars[rows, bar] = np.where(picked >= 0, np.clip(picked + move, 0, n_degrees - 1), picked)
    return bars.reshape(genomes.shape)


def _invert_bar(genomes: np.ndarray, n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Turn one bar upside down about its highest note."""
    bars = genomes.reshape(len(genomes), -1, SLOTS_PER_BAR)
    rows, bar = np.arange(len(genomes)), rng.integers(bars.shape[1], size=len(genomes))
    picked = bars[rows, bar]
    low = np.where(picked >= 0, picked, n_degrees).min(axis=1, keepdims=True)
    turned = np.clip(picked.max(axis=1, keepdims=True) + low - picked, 0, n_degrees - 1)
    bars[rows, bar] = np.where(picked >= 0, turned, picked)
    return bars.reshape(genomes.shape)


def _reverse_bar(genomes: np.ndarray, _n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Play the pitches of one bar backwards in its own rhythm."""
    bars = genomes.reshape(len(genomes), -1, SLOTS_PER_BAR)
    chosen = rng.integers(bars.shape[1], size=len(genomes))
    for row, bar in enumerate(chosen):
        places = np.flatnonzero(bars[row, bar] >= 0)
        bars[row, bar, places] = bars[row, bar, places[::-1]]
    return bars.reshape(genomes.shape)


def _echo_bar(genomes: np.ndarray, n_degrees: int, rng: np.random.Generator) -> np.ndarray:
    """Let one bar answer another with the same figure, a step or two away."""
    bars = genomes.reshape(len(genomes), -1, SLOTS_PER_BAR)
    rows = np.arange(len(genomes))
    source, target = rng.integers(bars.shape[1], size=(2, len(genomes)))
    move = rng.integers(-2, 3, size=(len(genomes), 1))
    figure = bars[rows, source]
    bars[rows, target] = np.where(figure >= 0, np.clip(figure + move, 0, n_degrees - 1), figure)
    return bars.reshape(genomes.shape)


_MUTATIONS: tuple[Mutation, ...] = (
    _nudge,
    _split_or_merge,
    _shift_onset,
    _transpose_bar,
    _invert_bar,
    _reverse_bar,
    _echo_bar,
)


class GeneticWriter:
    """Writes phrases by evolution; the guards have the last word on every note."""

    def __init__(self, aim: CorpusAim, effort: Effort) -> None:
        self._aim, self._effort = aim, effort

    def write(self, stage: Stage) -> Music:
        """Return the music of one phrase."""
        chords: list[Chord] = []
        accompaniment = []
        for bar in range(stage.phrase.n_bars):
            weights = stage.chord_weights(bar, [chord.degree for chord in chords])
            chords.append(stage.draw_chord(weights))
            accompaniment += stage.play(bar, chords[-1])
        search = Search(stage, chords, self._aim, self._effort)
        melody = []
        for slot, degree in enumerate(search.run()):
            if degree == _REST:
                continue
            onset = stage.phrase.start + slot * _PLACES_PER_SLOT
            wanted = MelodyNote(onset, _PLACES_PER_SLOT, int(search.sung[slot, degree]))
            pitch = restated(stage, wanted, chords[slot // SLOTS_PER_BAR])
            stage.guard.push(onset, pitch)
            melody.append(MelodyNote(onset, _PLACES_PER_SLOT, pitch))
        return Music(chords, accompaniment, melody)


class GeneticComposer:
    """The composer of the GAMC arm."""

    def __init__(
        self, checkpoint: Checkpoint, foundation: Foundation, effort: Effort | None = None
    ) -> None:
        self.release = checkpoint.release
        self._foundation = foundation
        self._aim = CorpusAim(checkpoint.arrays["means"], checkpoint.arrays["precision"])
        self._effort = effort or Effort()

    def compose(
        self, brief: Brief, rng: np.random.Generator, progress: Progress | None = None
    ) -> Score:
        """Return a score for the brief."""

        def new_writer(_brief: Brief, _guard: MelodyGuard) -> GeneticWriter:
            return GeneticWriter(self._aim, self._effort)

        return compose_long_form(brief, rng, self._foundation, new_writer, progress)


@cache
def load_genetic(weights: Path = WEIGHTS, effort: Effort | None = None) -> GeneticComposer:
    """Return the composer of a folder of releases; CheckpointError where they are damaged."""
    return GeneticComposer(load_checkpoint(weights / "genetic"), load_foundation(weights), effort)
