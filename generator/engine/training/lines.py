"""Melodies of pieces as lines, and what is left of them when chance takes over (the null rows)."""

from collections.abc import Iterable

import numpy as np

from generator.engine.metrics.line import Line, make_line
from generator.engine.tokens.vocabulary import DURATION_STEPS, PITCH_LOWEST
from generator.engine.training.corpus import Piece

_MELODY = 0
FEWEST_NOTES = 16
FEWEST_BARS = 8


def line_of(piece: Piece) -> Line:
    """Return the melody of a piece, its tonic at C."""
    rows = piece.role(_MELODY).astype(np.int64)
    return make_line(
        rows[:, 0],
        rows[:, 1] + PITCH_LOWEST,
        DURATION_STEPS[rows[:, 2]],
        piece.metre.steps,
        0,
        piece.mode,
    )


def lines_of(pieces: Iterable[Piece]) -> list[Line]:
    """Return the melodies that are long enough to be measured (16 notes)."""
    return [line for line in map(line_of, pieces) if len(line) >= FEWEST_NOTES]


def long_lines(pieces: Iterable[Piece]) -> list[Line]:
    """Return the melodies that are eight bars long or longer."""
    return [line for line in lines_of(pieces) if line.n_bars >= FEWEST_BARS]


def with_shuffled_onsets(line: Line, rng: np.random.Generator) -> Line:
    """Return the line with the onsets of each bar moved anywhere in the bar, pitches in order."""
    bars = line.onsets // line.steps_per_bar
    onsets = []
    for bar, count in zip(*np.unique(bars, return_counts=True), strict=True):
        places = np.sort(rng.choice(line.steps_per_bar, count, replace=False))
        onsets.append(bar * line.steps_per_bar + places)
    return make_line(
        np.concatenate(onsets),
        line.pitches,
        line.durations,
        line.steps_per_bar,
        line.tonic,
        line.mode,
    )


def with_shuffled_pitches(line: Line, rng: np.random.Generator) -> Line:
    """Return the line with its pitches in any order, its rhythm kept."""
    return make_line(
        line.onsets,
        rng.permutation(line.pitches),
        line.durations,
        line.steps_per_bar,
        line.tonic,
        line.mode,
    )
