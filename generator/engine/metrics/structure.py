"""Form: after how many bars a piece comes back to itself, by the likeness of all pairs of bars.

References
----------
Wu, S.-L. and Yang, Y.-H. (2020). The jazz transformer on the front line. ISMIR: structureness
indicators from the fitness of a self-similarity matrix of audio; here of onsets and pitch classes
of the melody, bar by bar.
"""

import numpy as np

from generator.engine.metrics.line import Line

SPANS = ((3, 8), (8, 15), (15, 10_000))
_LEAST_OVERLAP = 4
_DECIMALS = 9


def bar_similarity(line: Line) -> np.ndarray:
    """Return the cosine likeness of each pair of bars, shape (n_bars, n_bars), 0-1."""
    if not len(line):
        return np.zeros((0, 0))
    start = line.onsets[0] // line.steps_per_bar
    bar, place = np.divmod(line.onsets, line.steps_per_bar)
    rows = np.zeros((line.n_bars, line.steps_per_bar + 12))
    rows[bar - start, place] = 1.0
    np.add.at(rows, (bar - start, line.steps_per_bar + line.pitches % 12), 1.0)
    for part in (slice(0, line.steps_per_bar), slice(line.steps_per_bar, None)):
        norm = np.linalg.norm(rows[:, part], axis=1, keepdims=True)
        rows[:, part] /= np.maximum(norm, 1e-12)
    return rows @ rows.T / 2.0


def lag_profile(line: Line) -> np.ndarray:
    """Return the mean likeness of bars that lie 1, 2, ... bars apart; lag 1 first."""
    likeness = bar_similarity(line)
    n = len(likeness)
    lags = range(1, max(n - _LEAST_OVERLAP, 0) + 1)
    return np.array([np.mean(np.diagonal(likeness, lag)) for lag in lags])


def structure_length(line: Line) -> float:
    """Return the lag in bars at which a piece is most like itself; NaN for a short piece.

    Of lags from three bars on (neighbours are always alike), the shortest of equals.
    """
    profile = lag_profile(line)[SPANS[0][0] - 1 :].round(_DECIMALS)
    return float(np.argmax(profile) + SPANS[0][0]) if len(profile) else float("nan")


def structureness(line: Line) -> tuple[float, ...]:
    """Return the best likeness at lags of 3-8, 8-15 and 15 bars and more; NaN beyond the piece."""
    profile = lag_profile(line)
    return tuple(
        float(profile[low - 1 : high].max()) if len(profile) >= low else float("nan")
        for low, high in SPANS
    )
