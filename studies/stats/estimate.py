"""What an estimate is: a number with its interval, its n, and how it was got."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr, stdtrit

from studies.stats.errors import StatisticsError

LEVEL = 0.95
POSITIVE_IS_BETTER = "positive means improvement"
LOWER_IS_BETTER = "lower means fewer symptoms"
NO_SIGN = "no direction"


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
    se : float or None
        Standard error of `value`.
    df : float or None
        Degrees of freedom of the t distribution it is judged by; ``None`` for the normal.
    p : float or None
        Two-sided p value of the hypothesis that the quantity is nought.
    p_adjusted : float or None
        `p` adjusted for the family of hypotheses it belongs to.
    adjust : str
        How `p_adjusted` was got; empty where it was not.
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
    se: float | None = None
    df: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    adjust: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "ci_low", "ci_high", "sd", "se", "df", "p", "p_adjusted"):
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


def wald(
    label: str,
    value: float,
    se: float,
    *,
    n: int,
    method: str,
    sign: str,
    unit: str,
    df: float | None = None,
    level: float = LEVEL,
    warnings: tuple[str, ...] = (),
) -> Estimate:
    """Return value, interval and p value from a standard error, by t or (without df) the normal.

    Raises
    ------
    StatisticsError
        The standard error or its degrees of freedom are not positive numbers.
    """
    if not (math.isfinite(se) and se > 0) or (df is not None and not df > 0):
        raise StatisticsError(
            f"expected a positive standard error of {label}, got {se} on {df} df."
        )
    quantile = ndtri((1 + level) / 2) if df is None else stdtrit(df, (1 + level) / 2)
    half, ratio = float(quantile) * se, abs(value) / se
    return Estimate(
        label, float(value), float(value) - half, float(value) + half, int(n), method, sign, unit,
        warnings=warnings, se=float(se), df=None if df is None else float(df),
        p=two_sided_p(ratio, df),
    )  # fmt: skip


def two_sided_p(ratio: float, df: float | None = None) -> float:
    """Return the two-sided p value of a ratio of estimate to standard error."""
    below = math.erfc(abs(ratio) / 2**0.5) if df is None else 2 * stdtr(df, -abs(ratio))
    return float(below)


def favours(direction_is_lower: bool) -> str:
    """Return the sentence that says which sign of a contrast of scores is the good one."""
    return (
        "negative favours the first arm" if direction_is_lower else "positive favours the first arm"
    )


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
