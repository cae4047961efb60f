"""Change from baseline, and the change rate in forms that are never mixed up.

Conventions
-----------
For a score where lower is better, b at baseline and f at follow-up of the same participant:

change           b - f, in points
rate_individual  100 (b - f) / b of each participant, then mean, SD and median over participants;
                 undefined at b = 0: those are counted and left out, never set to 0
rate_of_means    100 (1 - mean f / mean b) over complete pairs, with Fieller's interval
rate_model       100 (mean b - adjusted mean at follow-up) / mean b, the adjusted mean of a model
                 and mean b that of everybody analysed, which is taken as known (Vickers 2001)

For a score where higher is better every sign is turned, so that a positive number always means
improvement. (The CDISC variable PCHG has the opposite sign.)

The rates are descriptive. They say nothing about an effect without a contrast between arms: people
chosen for a high score fall back towards the mean untreated.

References
----------
Fieller EC (1954). Journal of the Royal Statistical Society B 16, 175-185.
Vickers AJ (2001). BMC Medical Research Methodology 1, 6.

Numbered deviations from the source
-----------------------------------
1. Li (2025, Figure 13) gives "change rates" without a formula; all forms are given here, by name.
   Direction: the mean of individual rates lies below the rate of means when low baselines change
   less than high ones, and conversely.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from studies.stats.descriptives import mean_interval
from studies.stats.estimate import (
    LEVEL,
    POSITIVE_IS_BETTER,
    Estimate,
    complete_pairs,
    not_estimable,
)

NO_PAIRS = "nobody has both baseline and follow-up"
ONE_PAIR = "one participant alone gives no interval"


class Direction(StrEnum):
    """Which end of a score is the better one."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class IndividualRates:
    """The change rate of each participant, summed up.

    `n_pairs` participants have both values; of `n_zero_baseline` among them the rate is undefined.
    `median` is given beside the mean because a small baseline makes a huge rate.
    """

    mean: Estimate
    median: float | None
    n_pairs: int
    n_zero_baseline: int


def change(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    *,
    direction: Direction = Direction.LOWER,
    level: float = LEVEL,
) -> Estimate:
    """Return the mean change with its t interval; positive means improvement.

    Parameters
    ----------
    baseline, follow_up : array_like, shape (n_participants,)
        Totals in instrument points, aligned by participant; NaN marks a missed visit.
    direction : Direction
        Which end of the score is the better one.
    level : float
        Coverage of the interval.

    Raises
    ------
    StatisticsError
        The columns do not fit each other.
    """
    before, after = complete_pairs(baseline, follow_up)
    return _mean_of(
        "change", _turn(before - after, direction), "mean of paired differences, t interval",
        "points", level, NO_PAIRS,
    )  # fmt: skip


def rate_individual(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    *,
    direction: Direction = Direction.LOWER,
    level: float = LEVEL,
) -> IndividualRates:
    """Return the mean and median of the participants' own change rates, in per cent.

    Parameters and errors are those of `change`.
    """
    before, after = complete_pairs(baseline, follow_up)
    defined = before != 0
    rates = _turn(100 * (before - after)[defined] / before[defined], direction)
    n_zero = int(before.size - defined.sum())
    mean = _mean_of(
        "rate_individual", rates, "mean of individual rates, t interval", "%", level,
        NO_PAIRS if not before.size else "every baseline is 0, where the rate is undefined",
    )  # fmt: skip
    return IndividualRates(
        mean=_warned(mean, n_zero),
        median=float(np.median(rates)) if rates.size else None,
        n_pairs=int(before.size),
        n_zero_baseline=n_zero,
    )


def rate_of_means(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    *,
    direction: Direction = Direction.LOWER,
    level: float = LEVEL,
) -> Estimate:
    """Return 100 (1 - mean follow-up / mean baseline) with Fieller's interval, in per cent.

    Where Fieller's set is no interval (the baseline mean is not clearly off 0) the delta method
    stands in, and `method` and a warning say so. Parameters and errors are those of `change`.
    """
    before, after = complete_pairs(baseline, follow_up)
    about = {"method": "ratio of means", "sign": POSITIVE_IS_BETTER, "unit": "%"}
    if not before.size:
        return not_estimable("rate_of_means", n=0, reason=NO_PAIRS, **about)
    if before.mean() == 0:
        reason = "the baseline mean is 0, where the rate is undefined"
        return not_estimable("rate_of_means", n=int(before.size), reason=reason, **about)
    low, high, method, warnings = _ratio_interval(before, after, level)
    limits = [None if limit is None else 100 * (1 - limit) for limit in (low, high)]
    value = 100 * (1 - after.mean() / before.mean())
    if direction is Direction.HIGHER:
        value, limits = -value, [None if limit is None else -limit for limit in limits]
    else:
        limits = limits[::-1]
    return Estimate(
        "rate_of_means", float(value), *limits, int(before.size), f"ratio of means, {method}",
        POSITIVE_IS_BETTER, "%", warnings=warnings,
    )  # fmt: skip


def rate_model(
    adjusted_mean: Estimate, baseline_mean: float, *, direction: Direction = Direction.LOWER
) -> Estimate:
    """Return the change rate that a model's adjusted mean stands for, in per cent.

    Parameters
    ----------
    adjusted_mean : Estimate
        Of one arm at one follow-up visit.
    baseline_mean : float
        Of everybody analysed, arms pooled.
    direction : Direction
        Which end of the score is the better one.
    """
    about = {
        "method": f"rate_model, {adjusted_mean.method}",
        "sign": POSITIVE_IS_BETTER,
        "unit": "%",
    }
    if adjusted_mean.value is None or baseline_mean == 0:
        reason = "; ".join(adjusted_mean.warnings) or "the baseline mean is 0"
        return not_estimable("rate_model", n=adjusted_mean.n, reason=reason, **about)
    turn = 1 if direction is Direction.LOWER else -1
    factor = 100 * turn / baseline_mean
    limits = sorted(
        factor * (baseline_mean - limit) for limit in (adjusted_mean.ci_low, adjusted_mean.ci_high)
    )
    return Estimate(
        "rate_model", factor * (baseline_mean - adjusted_mean.value), *limits, adjusted_mean.n,
        **about, warnings=adjusted_mean.warnings, se=abs(factor) * adjusted_mean.se,
        df=adjusted_mean.df,
    )  # fmt: skip


def _ratio_interval(
    before: NDArray[np.float64], after: NDArray[np.float64], level: float
) -> tuple[float | None, float | None, str, tuple[str, ...]]:
    """Return the limits of mean(after) / mean(before), the method and its warnings."""
    n = before.size
    if n < 2:
        return None, None, "no interval", (ONE_PAIR,)
    (v_b, v_ba), (_v_ab, v_a) = np.cov(before, after) / n
    m_b, m_a = before.mean(), after.mean()
    quantile = stdtrit(n - 1, (1 + level) / 2)
    a = m_b**2 - quantile**2 * v_b
    b = m_b * m_a - quantile**2 * v_ba
    c = m_a**2 - quantile**2 * v_a
    discriminant = b**2 - a * c
    if a > 0 and discriminant >= 0:
        root = discriminant**0.5
        return float((b - root) / a), float((b + root) / a), "Fieller interval", ()
    ratio = m_a / m_b
    variance = (v_a - 2 * ratio * v_ba + ratio**2 * v_b) / m_b**2
    half = quantile * max(variance, 0.0) ** 0.5
    warning = "Fieller's set is no interval here; the delta method stands in"
    return float(ratio - half), float(ratio + half), "delta interval", (warning,)


def _mean_of(
    label: str, values: NDArray[np.float64], method: str, unit: str, level: float, reason: str
) -> Estimate:
    n = int(values.size)
    if not n:
        return not_estimable(
            label, n=0, method=method, sign=POSITIVE_IS_BETTER, unit=unit, reason=reason
        )
    low, high = mean_interval(values, level=level) if n > 1 else (None, None)
    return Estimate(
        label, float(values.mean()), low, high, n, method, POSITIVE_IS_BETTER, unit,
        sd=float(values.std(ddof=1)) if n > 1 else None,
        se=float(values.std(ddof=1)) / n**0.5 if n > 1 else None,
        df=float(n - 1) if n > 1 else None,
        warnings=() if n > 1 else (ONE_PAIR,),
    )  # fmt: skip


def _warned(estimate: Estimate, n_zero: int) -> Estimate:
    if not n_zero or not estimate.is_estimable:
        return estimate
    warning = f"{n_zero} with a baseline of 0 left out, where the rate is undefined"
    return replace(estimate, warnings=(*estimate.warnings, warning))


def _turn(values: NDArray[np.float64], direction: Direction) -> NDArray[np.float64]:
    return values if direction is Direction.LOWER else -values
