"""Rhythm of a melody: how alike its bars are.

References
----------
Wu, S.-L. and Yang, Y.-H. (2020). The jazz transformer on the front line. ISMIR: grooving pattern
similarity, here over all pairs of bars that are not empty, on 16 places a bar.
"""

import numpy as np

PLACES = 16


def rhythm_consistency(onsets: np.ndarray, steps_per_bar: int = PLACES) -> float:
    """Return GS16: one minus the mean share of places at which two bars differ; NaN for one bar.

    Parameters
    ----------
    onsets : ndarray of int, shape (n,)
        Steps from the start.
    steps_per_bar : int
    """
    bars, places = np.divmod(np.asarray(onsets), steps_per_bar)
    _, rows = np.unique(bars, return_inverse=True)
    grid = np.zeros((rows.max(initial=-1) + 1, steps_per_bar), dtype=bool)
    grid[rows, places] = True
    n = len(grid)
    if n < 2:
        return float("nan")
    ones = grid.sum(axis=0)
    return float(1.0 - np.mean(2.0 * ones * (n - ones)) / (n * (n - 1)))
