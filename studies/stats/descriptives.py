"""Description of one column: n, missing, mean, SD, median, quartiles, t interval of the mean.

Quartiles are Hyndman and Fan's type 7, as R and numpy give by default; the SD has n - 1 below.

References
----------
Hyndman RJ, Fan Y (1996). The American Statistician 50, 361-365.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from studies.stats.errors import NotEstimable
from studies.stats.estimate import LEVEL, column


@dataclass(frozen=True, slots=True)
class Description:
    """One column described; `None` where there are too few values (`n` says how many)."""

    n: int
    n_missing: int
    mean: float | None
    sd: float | None
    median: float | None
    q25: float | None
    q75: float | None
    minimum: float | None
    maximum: float | None
    ci_low: float | None
    ci_high: float | None


def describe(values: ArrayLike, *, level: float = LEVEL) -> Description:
    """Return the description of a column in which NaN marks a missing value.

    Parameters
    ----------
    values : array_like, shape (n_participants,)
        Scores in instrument points.
    level : float
        Coverage of the interval of the mean.

    Raises
    ------
    StatisticsError
        The values are not one column of finite or missing numbers.
    """
    everything = column(values)
    present = everything[~np.isnan(everything)]
    n_missing = int(everything.size - present.size)
    if not present.size:
        return Description(0, n_missing, *[None] * 9)
    q25, median, q75 = np.quantile(present, (0.25, 0.5, 0.75))
    low, high = mean_interval(present, level=level) if present.size > 1 else (None, None)
    return Description(
        n=int(present.size),
        n_missing=n_missing,
        mean=float(present.mean()),
        sd=float(present.std(ddof=1)) if present.size > 1 else None,
        median=float(median),
        q25=float(q25),
        q75=float(q75),
        minimum=float(present.min()),
        maximum=float(present.max()),
        ci_low=low,
        ci_high=high,
    )


def mean_interval(values: NDArray[np.float64], *, level: float = LEVEL) -> tuple[float, float]:
    """Return the t interval of the mean.

    Raises
    ------
    NotEstimable
        There are fewer than two values.
    """
    if values.size < 2:
        raise NotEstimable(f"expected two values or more for an interval, got {values.size}.")
    half = stdtrit(values.size - 1, (1 + level) / 2) * values.std(ddof=1) / values.size**0.5
    return float(values.mean() - half), float(values.mean() + half)
