"""FD-32: the Frechet distance of two bodies of music in a space of 89 features of eight bars.

Features (Yang and Lerch 2020, extended): pitch classes turned to the tonic 12, places in the bar
16, intervals 25, inter-onset intervals 17, durations 10, and nine numbers. They are standardised
and whitened to 32 dimensions on the training split.

The distance of n excerpts is biased upwards by about the same amount for every body of the same n,
so n is always stated and always equal; a model that copies reaches a low distance, so the distance
is never shown without the originality row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from generator.engine.metrics.line import Line
from generator.engine.metrics.melody import repetition
from generator.engine.metrics.pitch import scale_consistency
from generator.engine.metrics.rhythm import rhythm_consistency
from generator.engine.score.scales import estimate_key

EXCERPT_BARS, HOP_BARS = 8, 4
DIMENSIONS = 32
N_FEATURES = 89
_PLACES = 16
_FEWEST_NOTES = 8
_WIDEST = 12
_LONGEST_IOI = 17
_DURATION_EDGES = np.array([2, 3, 4, 5, 7, 9, 13, 17, 25])
_RIDGE = 1e-6


def excerpts(line: Line) -> Iterator[Line]:
    """Yield each eight-bar excerpt of a line in bars of 16 steps, every four bars."""
    if line.steps_per_bar != _PLACES:
        return
    for first in range(0, line.n_bars - EXCERPT_BARS + 1, HOP_BARS):
        excerpt = line.bars(first, EXCERPT_BARS)
        if len(excerpt) >= _FEWEST_NOTES:
            yield excerpt


def excerpt_features(line: Line) -> np.ndarray:
    """Return the 89 features of one excerpt."""
    classes = np.bincount(line.pitches % 12, weights=line.durations, minlength=12)
    tonic, _ = estimate_key(classes)
    interval = np.diff(line.pitches)
    ioi = np.diff(line.onsets)
    numbers = (
        len(line),
        np.ptp(line.pitches),
        line.pitches.mean(),
        line.pitches.std(),
        len(np.unique(line.pitches)),
        np.abs(interval).mean(),
        np.nan_to_num(repetition(line.onsets, line.pitches, 4)),
        np.nan_to_num(rhythm_consistency(line.onsets, line.steps_per_bar)),
        scale_consistency(line.pitches),
    )
    return np.concatenate(
        [
            _shares(np.roll(np.bincount(line.pitches % 12, minlength=12), -tonic)),
            _shares(np.bincount(line.onsets % _PLACES, minlength=_PLACES)),
            _shares(np.bincount(np.clip(interval, -_WIDEST, _WIDEST) + _WIDEST, minlength=25)),
            _shares(np.bincount(np.minimum(ioi, _LONGEST_IOI) - 1, minlength=17)),
            _shares(np.bincount(np.digitize(line.durations, _DURATION_EDGES), minlength=10)),
            numbers,
        ]
    )


@dataclass(frozen=True)
class StyleSpace:
    """The whitening that a training split gives: `matrix` (89, 32), `mean` (89,)."""

    mean: np.ndarray
    matrix: np.ndarray

    def project(self, features: np.ndarray) -> np.ndarray:
        """Return features, shape (n, 89), in the space, shape (n, 32)."""
        return (features - self.mean) @ self.matrix


def style_space(features: np.ndarray, dimensions: int = DIMENSIONS) -> StyleSpace:
    """Return the space in which these features, shape (n, 89), have unit covariance."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > _RIDGE, spread, 1.0)
    values, vectors = np.linalg.eigh(np.cov(((features - mean) / spread).T))
    order = np.argsort(values)[::-1][:dimensions]
    scale = 1.0 / np.sqrt(np.maximum(values[order], _RIDGE))
    return StyleSpace(mean, vectors[:, order] / spread[:, None] * scale)


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Frechet distance between the Gaussians of two clouds of points, shape (n, d)."""
    means = first.mean(axis=0) - second.mean(axis=0)
    a, b = np.cov(first.T), np.cov(second.T)
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ b @ root)
    shared = np.sqrt(np.maximum(mixed, 0.0)).sum()
    return float(means @ means + np.trace(a) + np.trace(b) - 2.0 * shared)


def drawn_distance(
    points: np.ndarray, reference: np.ndarray, n: int, draws: int, rng: np.random.Generator
) -> float:
    """Return the mean distance of `n` points from the reference, over some draws; NaN with fewer.

    Parameters
    ----------
    points, reference : ndarray, shape (*, d)
    n, draws : int
    rng : numpy.random.Generator
    """
    if len(points) < n:
        return float("nan")
    chosen = (points[rng.choice(len(points), n, replace=False)] for _ in range(draws))
    return float(np.mean([frechet_distance(some, reference) for some in chosen]))


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / max(counts.sum(), 1)
