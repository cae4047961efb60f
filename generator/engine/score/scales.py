"""Keys, modes and chords as pitch classes; the key of a passage by its pitch-class profile.

Conventions
-----------
pitch class   0-11, 0 = C
degree        0-6, 0 = tonic
mode          "major" or "minor"; minor is the natural scale here (composers raise its seventh over
              the dominant: `composers.harmony.chord_of`)

References
----------
Krumhansl, C. L. and Kessler, E. J. (1982). Tracing the dynamic changes in perceived tonal
organization in a spatial representation of musical keys. Psychological Review 89(4), 334-368:
the probe-tone profiles.
"""

import numpy as np

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
SCALES = {"major": MAJOR, "minor": MINOR}
# The seventh degree of minor, natural and raised.
SEVENTH, LEADING_NOTE = 10, 11
PENTATONIC = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10)}

_KESSLER = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def scale_mask(tonic: int, mode: str) -> np.ndarray:
    """Return which of the 12 pitch classes belong to the key, bool, shape (12,)."""
    mask = np.zeros(12, dtype=bool)
    mask[[(tonic + degree) % 12 for degree in SCALES[mode]]] = True
    return mask


def triad(degree: int, mode: str) -> tuple[int, int, int]:
    """Return root, third and fifth (pitch classes above the tonic) of a scale degree.

    Parameters
    ----------
    degree : int
        0-6.
    mode : str
    """
    scale = SCALES[mode]
    root, third, fifth = (scale[(degree + 2 * k) % 7] for k in range(3))
    return root, third, fifth


def estimate_key(histogram: np.ndarray) -> tuple[int, str]:
    """Return (tonic, mode) whose Krumhansl-Kessler profile correlates best with the histogram.

    Parameters
    ----------
    histogram : ndarray, shape (12,)
        Sounding time (or count) of each pitch class.
    """
    (_, tonic, mode), _ = _best_keys(histogram)
    return tonic, mode


def key_clarity(histogram: np.ndarray) -> float:
    """Return how much better the best key fits the histogram than the best of the other mode.

    Both as correlations with the Krumhansl-Kessler profiles; 0 for a histogram without a shape.
    """
    size = float(np.linalg.norm(histogram - histogram.mean()))
    (best, *_), (other, *_) = _best_keys(histogram)
    return (best - other) / size if size else 0.0


def _best_keys(histogram: np.ndarray) -> list[tuple[float, int, str]]:
    """Return the best key of each mode as (fit, tonic, mode), the better one first."""
    centred = histogram - histogram.mean()
    best = []
    for mode, profile in _KESSLER.items():
        weights = np.asarray(profile) - np.mean(profile)
        fits = [
            float(centred @ np.roll(weights, tonic) / np.linalg.norm(weights))
            for tonic in range(12)
        ]
        best.append(max((fit, tonic, mode) for tonic, fit in enumerate(fits)))
    return sorted(best, reverse=True)
