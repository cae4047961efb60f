"""Effect sizes: differences in units of a standard deviation, and probabilities of superiority.

hedges_g          (mean 1 - mean 2) / pooled SD, times the exact J = Gamma(m/2) / (sqrt(m/2)
                  Gamma((m-1)/2)); its interval is J times that of d by the non-central t
adjusted_smd      a model's contrast over a stated standard deviation, with the same J and interval
                  from the contrast's t ratio
glass_delta       over the SD of the second (reference) sample alone
cliffs_delta      P(1 > 2) - P(1 < 2) over all pairs

References
----------
Hedges LV (1981). Journal of Educational Statistics 6, 107-128.
Cumming G, Finch S (2001). Educational and Psychological Measurement 61, 532-574.
Cliff N (1993). Psychological Bulletin 114, 494-509.
McGraw KO, Wong SP (1992). Psychological Bulletin 111, 361-365.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, ndtr, ndtri
from scipy.stats import rankdata

from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, column, complete_pairs
from studies.stats.multivariate_t import scales_of

Array = NDArray[np.float64]

SIGN = "positive means the first sample is higher"


@dataclass(frozen=True, slots=True)
class Superiority:
    """How often a member of the first sample is higher, ties counted half; and what follows."""

    probability: float
    cliffs_delta: float
    probability_normal: float


def small_sample_factor(df: float) -> float:
    """Return J, the exact correction of a standardised difference for its bias."""
    return float(np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / math.sqrt(df / 2))


def hedges_g(
    first: ArrayLike, second: ArrayLike, *, level: float = LEVEL, sign: str = SIGN
) -> Estimate:
    """Return Hedges' g of two independent samples with its exact interval.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        NaN marks a missing value.

    Raises
    ------
    TooFewObservations
        A sample has fewer than two values.
    NotEstimable
        Neither sample varies.
    """
    a, b = _samples(first, second)
    df = a.size + b.size - 2
    pooled = (((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / df) ** 0.5
    if pooled == 0:
        raise NotEstimable("expected values that vary within a sample, got two constant samples.")
    scale = (1 / a.size + 1 / b.size) ** 0.5
    d = float(a.mean() - b.mean()) / pooled
    return _standardised(
        "hedges_g", d / scale, scale, df, a.size + b.size, level, sign, "pooled SD, exact J",
        se=_normal_se(d * small_sample_factor(df), a.size, b.size),
    )  # fmt: skip


def adjusted_smd(contrast: Estimate, sd: float, sd_name: str, *, level: float = LEVEL) -> Estimate:
    """Return a model's contrast in units of a standard deviation.

    Parameters
    ----------
    contrast : Estimate
        With a standard error and degrees of freedom.
    sd : float
        In the contrast's units.
    sd_name : str
        Which standard deviation that is.

    Raises
    ------
    NotEstimable
        The contrast or the standard deviation is missing.
    """
    if contrast.value is None or contrast.se is None or contrast.df is None or not sd > 0:
        raise NotEstimable(f"expected a contrast and a positive {sd_name}, got none of {sd}.")
    return _standardised(
        "adjusted_smd", contrast.value / contrast.se, contrast.se / sd, contrast.df, contrast.n,
        level, contrast.sign, f"contrast / {sd_name}, exact J",
    )  # fmt: skip


def glass_delta(first: ArrayLike, second: ArrayLike) -> float:
    """Return the difference of means over the SD of the second sample."""
    a, b = _samples(first, second)
    if b.std(ddof=1) == 0:
        raise NotEstimable("expected a reference sample that varies, got a constant one.")
    return float((a.mean() - b.mean()) / b.std(ddof=1))


def superiority(first: ArrayLike, second: ArrayLike) -> Superiority:
    """Return how often a member of the first sample is higher than one of the second."""
    a, b = _samples(first, second)
    ranks = rankdata(np.concatenate([a, b]))
    u = ranks[: a.size].sum() - a.size * (a.size + 1) / 2
    share = float(u / (a.size * b.size))
    spread = float(a.var(ddof=1) + b.var(ddof=1)) ** 0.5
    if spread == 0:
        raise NotEstimable("expected values that vary within a sample, got two constant samples.")
    return Superiority(share, 2 * share - 1, float(ndtr((a.mean() - b.mean()) / spread)))


def paired_effects(baseline: ArrayLike, follow_up: ArrayLike) -> tuple[float, float]:
    """Return d_z (over the SD of the change) and d_av (over the mean of the two SDs).

    Raises
    ------
    TooFewObservations
        Fewer than two participants have both values.
    NotEstimable
        Nothing varies.
    """
    before, after = complete_pairs(baseline, follow_up)
    if before.size < 2:
        raise TooFewObservations(f"expected two complete pairs or more, got {before.size}.")
    change = before - after
    between = (before.std(ddof=1) + after.std(ddof=1)) / 2
    if change.std(ddof=1) == 0 or between == 0:
        raise NotEstimable("expected changes that vary between participants, got a constant one.")
    return float(change.mean() / change.std(ddof=1)), float(change.mean() / between)


def noncentrality_interval(ratio: float, df: float, level: float) -> tuple[float, float]:
    """Return the non-centralities at which the ratio is just not too large and too small."""
    tail = (1 - level) / 2
    # P(T <= t) is the mean over the scale s of P(Z <= t s - nc); scipy's nct gives NaN in places.
    scales, weights = scales_of(float(df))

    def limit(probability: float) -> float:
        def excess(nc: float) -> float:
            return float(weights @ ndtr(ratio * scales - nc)) - probability

        # With one or two degrees of freedom the limits lie many ratios away.
        reach = 10 + 2 * abs(ratio)
        while excess(ratio - reach) < 0 or excess(ratio + reach) > 0:
            reach *= 2
        return float(brentq(excess, ratio - reach, ratio + reach, xtol=1e-12, rtol=1e-14))

    return limit(1 - tail), limit(tail)


def _standardised(
    label: str, ratio: float, scale: float, df: float, n: int, level: float, sign: str, method: str,
    *, se: float | None = None,
) -> Estimate:  # fmt: skip
    """Return J d for d = ratio * scale, with the interval of the ratio's non-centrality."""
    factor = small_sample_factor(df) * scale
    low, high = (factor * nc for nc in noncentrality_interval(ratio, df, level))
    return Estimate(
        label, factor * ratio, low, high, n, method, sign, "standard deviations", se=se,
        df=float(df),
    )  # fmt: skip


def _normal_se(g: float, n_1: int, n_2: int) -> float:
    return ((n_1 + n_2) / (n_1 * n_2) + g**2 / (2 * (n_1 + n_2))) ** 0.5


def normal_interval(estimate: Estimate, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the large-sample interval of a g that has a standard error."""
    half = float(ndtri((1 + level) / 2)) * estimate.se
    return estimate.value - half, estimate.value + half


def _samples(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    a, b = column(first), column(second)
    a, b = a[~np.isnan(a)], b[~np.isnan(b)]
    if min(a.size, b.size) < 2:
        raise TooFewObservations(
            f"expected two values or more in each sample, got {a.size} and {b.size}."
        )
    return a, b
