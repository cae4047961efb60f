"""One row of the comparison: every measure of music.md 2.3 over a body of melodies, by piece.

A value is a mean over pieces with its 95 % bootstrap interval, drawn by piece. Measures of a whole
body (divergence, distance) are drawn again over pieces as well. `gap` is how far a mean lies from
the human one, in standard deviations of human pieces.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generator.engine.metrics.cardinality import KnownExcerpts, drawn_excerpt
from generator.engine.metrics.grade import Grade, HumanScale
from generator.engine.metrics.line import Line
from generator.engine.metrics.melody import is_looping, repetition
from generator.engine.metrics.originality import melody_pairs, run_rows
from generator.engine.metrics.pitch import (
    equal_numbers,
    in_asked_key,
    in_estimated_key,
    pitch_divergence,
    raised_sevenths,
)
from generator.engine.metrics.rhythm import (
    beat_matching,
    corrected_consistency,
    on_beat_share,
    position_histogram,
    rhythm_consistency,
)
from generator.engine.metrics.structure import structure_length, structureness
from generator.engine.metrics.style import (
    N_FEATURES,
    StyleSpace,
    drawn_distance,
    excerpt_features,
    excerpts,
)

BOOTSTRAPS = 1000
FD_EXCERPTS, FD_DRAWS = 200, 5
COPY_LENGTHS = (4, 8, 12)
_FEW_BOOTSTRAPS = 100
_LONGEST_RUN = 64
_PLACES = 16


@dataclass(frozen=True)
class Measured:
    """A mean, its interval, and over how many pieces; NaN where it could not be measured."""

    mean: float
    low: float
    high: float
    n: int
    spread: float = float("nan")

    def gap(self, human: "Measured") -> float:
        """Return the distance from the human mean in human standard deviations."""
        return abs(self.mean - human.mean) / human.spread


@dataclass(frozen=True)
class Reference:
    """What every row is held against.

    `places` (16,) shares of held-out onsets; `pitches` of the held-out melodies; `grams` for each
    of `COPY_LENGTHS` the bytes of all runs of so many training notes, `runs` the same for every
    length up to 64; `train_excerpts` for the cardinality score; `space`, `human_points` (the valid
    split's) and `train_points` for FD-32; `scale` for grades.
    """

    places: np.ndarray
    pitches: np.ndarray
    runs: Mapping[int, set[bytes]]
    train_excerpts: KnownExcerpts
    space: StyleSpace
    human_points: np.ndarray
    train_points: np.ndarray
    scale: HumanScale


def piece_measures(line: Line, reference: Reference) -> dict[str, float]:
    """Return all measures of one piece."""
    onsets, pitches, bar = line.onsets, line.pitches, line.steps_per_bar
    spans = structureness(line)
    grade = reference.scale.grade(line)
    found = {
        "GS16": rhythm_consistency(onsets, bar),
        "GS64": rhythm_consistency(4 * onsets, 4 * bar),
        "kappa": corrected_consistency(onsets, bar),
        "MBM": beat_matching(onsets, reference.places) if bar == _PLACES else float("nan"),
        "on the beat": on_beat_share(onsets),
        **{f"repetition {n}": repetition(onsets, pitches, n) for n in (4, 8, 16)},
        "loops": float(is_looping(onsets, pitches)),
        "in asked key": in_asked_key(line),
        "in estimated key": in_estimated_key(line),
        "raised sevenths": raised_sevenths(line),
        "structure length": structure_length(line),
        "structure 3-8": spans[0],
        "structure 8-15": spans[1],
        "structure 15+": spans[2],
        **{f"in train {n}": _known_share(line, reference.runs, n) for n in COPY_LENGTHS},
        "longest copied run": float(_longest_run(line, reference.runs)),
    }
    return found | {f"grade {name}": float(grade is name) for name in Grade}


def measure(lines: Sequence[Line], reference: Reference, *, seed: int = 0) -> dict[str, Measured]:
    """Return every measure of a body of music."""
    rows = [piece_measures(line, reference) for line in lines]
    found = {name: mean_of(np.array([row[name] for row in rows]), seed=seed) for name in rows[0]}
    found["cardinality"] = mean_of(_cardinalities(lines, reference.train_excerpts), seed=seed)
    in_four = [line for line in lines if line.steps_per_bar == _PLACES]
    if in_four:
        found["MBM, all pieces"] = _resampled(in_four, _matching(reference.places), seed)
    for name, size in (("KL 128", 128), ("KL 12", 12)):
        found[name] = _resampled(lines, _divergence(reference.pitches, size), seed)
    points = reference.space.project(style_points(lines))
    found["FD-32"] = _distance(points, reference.human_points, seed)
    found["FD-32, train"] = _distance(points, reference.train_points, seed)
    return found


def mean_of(values: np.ndarray, *, seed: int = 0) -> Measured:
    """Return the mean over pieces with its interval; pieces without a value are left out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Measured(*(float("nan"),) * 3, 0)
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(BOOTSTRAPS, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Measured(float(values.mean()), float(low), float(high), len(values), float(values.std()))


def training_runs(lines: Sequence[Line]) -> dict[int, set[bytes]]:
    """Return, for each number of notes, the runs that training melodies hold."""
    found: dict[int, set[bytes]] = {}
    for length in sorted({*COPY_LENGTHS, *range(4, 13), 16, 24, 32, 48, _LONGEST_RUN}):
        known: set[bytes] = set()
        for line in lines:
            known.update(_runs(line, length))
        found[length] = known
    return found


def _runs(line: Line, length: int) -> list[bytes]:
    rows = run_rows(melody_pairs(line.onsets, line.pitches), length - 1).astype(np.int16)
    return [row.tobytes() for row in rows]


def _known_share(line: Line, runs: Mapping[int, set[bytes]], length: int) -> float:
    own = set(_runs(line, length))
    return len(own & runs[length]) / len(own) if own else float("nan")


def _longest_run(line: Line, runs: Mapping[int, set[bytes]]) -> int:
    """Return the longest of the tried lengths at which some run is known."""
    longest = 0
    for length in sorted(runs):
        if not any(row in runs[length] for row in _runs(line, length)):
            break
        longest = length
    return longest


def _cardinalities(lines: Sequence[Line], known: KnownExcerpts) -> np.ndarray:
    """Return the highest score of one excerpt a piece, drawn by its number; NaN where none."""
    drawn = (drawn_excerpt(line, number) for number, line in enumerate(lines))
    scores = (float("nan") if some is None else known.highest_score(some) for some in drawn)
    return np.fromiter(scores, dtype=float, count=len(lines))


def _divergence(reference: np.ndarray, size: int) -> Callable[[Sequence[Line], int], float]:
    def measured(lines: Sequence[Line], seed: int) -> float:
        pitches = np.concatenate([line.pitches for line in lines])
        ours, theirs = equal_numbers(pitches, reference, np.random.default_rng(seed))
        return pitch_divergence(ours, theirs, size)

    return measured


def _matching(places: np.ndarray) -> Callable[[Sequence[Line], int], float]:
    def measured(lines: Sequence[Line], _seed: int) -> float:
        return beat_matching(np.concatenate([line.onsets for line in lines]), places)

    return measured


def _resampled(
    lines: Sequence[Line], measured: Callable[[Sequence[Line], int], float], seed: int
) -> Measured:
    rng = np.random.default_rng(seed)
    draws = [
        measured([lines[index] for index in rng.integers(len(lines), size=len(lines))], draw)
        for draw in range(_FEW_BOOTSTRAPS)
    ]
    low, high = np.quantile(draws, (0.025, 0.975))
    return Measured(measured(lines, seed), float(low), float(high), len(lines))


def style_points(lines: Sequence[Line]) -> np.ndarray:
    """Return the 89 features of every excerpt of these lines."""
    rows = [excerpt_features(excerpt) for line in lines for excerpt in excerpts(line)]
    return np.array(rows).reshape(-1, N_FEATURES)


def _distance(points: np.ndarray, beside: np.ndarray, seed: int) -> Measured:
    rng = np.random.default_rng(seed)
    draws = [drawn_distance(points, beside, FD_EXCERPTS, 1, rng) for _ in range(FD_DRAWS)]
    if np.isnan(draws).any():
        return Measured(*(float("nan"),) * 3, len(points))
    return Measured(float(np.mean(draws)), min(draws), max(draws), len(points))


def places_of(lines: Sequence[Line]) -> np.ndarray:
    """Return the shares of the places of the bar over all lines in bars of 16 steps."""
    onsets = [line.onsets for line in lines if line.steps_per_bar == _PLACES]
    return position_histogram(np.concatenate(onsets))
