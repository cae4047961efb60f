"""What an estimate is: a number with its interval, its n, and how it was got."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
POSITIVE_IS_BETTER = "positive means improvement"
LOWER_IS_BETTER = "lower means fewer symptoms"
NO_SIGN = "no direction"


class StatisticsError(ValueError):
    """Values that statistics cannot be made of."""


class NotEstimable(StatisticsError):
    """There is too little, or too much the same, to estimate this from; the message says what."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number.

    Parameters
    ----------
    label : str
        Which quantity, e.g. ``rate_of_means``.
    value : float or None
        ``None`` where it cannot be estimated; `warnings` then says why.
    ci_low, ci_high : float or None
        Limits of the interval; ``None`` where there is no interval.
    n : int
        Values, or pairs of values, it rests on.
    method : str
        How value and interval were got.
    sign : str
        What a positive number means.
    unit : str
        ``points``, ``%``, ``proportion``.
    sd : float or None
        Standard deviation between participants, where it has a meaning.
    warnings : tuple of str
        What a reader must know.
    """

    label: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    method: str
    sign: str
    unit: str
    sd: float | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("value", "ci_low", "ci_high", "sd"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise StatisticsError(f"expected a finite {name} of {self.label}, got {number}.")

    @property
    def is_estimable(self) -> bool:
        """There is a number."""
        return self.value is not None


def not_estimable(
    label: str, *, n: int, method: str, sign: str, unit: str, reason: str
) -> Estimate:
    """Return the estimate that says it is none, and why."""
    return Estimate(label, None, None, None, n, method, sign, unit, warnings=(reason,))


def column(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as a float column; NaN marks a missing one.

    Raises
    ------
    StatisticsError
        The values are not one column of numbers, or one is infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise StatisticsError(f"expected one column of values, got shape {array.shape}.")
    if np.isinf(array).any():
        raise StatisticsError("expected finite or missing values, got an infinite one.")
    return array


def complete_pairs(
    baseline: ArrayLike, follow_up: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both columns without the participants who lack one of the two.

    Raises
    ------
    StatisticsError
        The columns are not of one length.
    """
    before, after = column(baseline), column(follow_up)
    if before.shape != after.shape:
        raise StatisticsError(
            f"expected two columns of one length, got {before.size} and {after.size}."
        )
    both = ~(np.isnan(before) | np.isnan(after))
    return before[both], after[both]
