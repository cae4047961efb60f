"""Sample size and power by formula, for the tests that a trial of this kind plans.

Every function takes participants per arm, a two-sided alpha, and counts both tails. Numbers of
participants come back unrounded; `whole` rounds them up and adds those who will drop out.

References
----------
Cohen J (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd edition.
Borm GF, Fransen J, Lemmens WA (2007). Journal of Clinical Epidemiology 60, 1234-1238 (ANCOVA).
Fleiss JL, Levin B, Paik MC (2003). Statistical Methods for Rates and Proportions, 3rd edition.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import f as f_distribution
from scipy.stats import ncf, nct

from studies.stats.errors import StatisticsError
from studies.stats.multivariate_t import two_sided_critical

ALPHA = 0.05
MOST = 1e7


def power_t(n: float, difference: float, sd: float, *, alpha: float = ALPHA) -> float:
    """Return the power of a two-sample t test."""
    _positive(n=n, sd=sd)
    return _power_nct(2 * (n - 1), difference / sd * math.sqrt(n / 2), alpha)


def power_paired_t(n: float, difference: float, sd: float, *, alpha: float = ALPHA) -> float:
    """Return the power of a paired t test; `sd` is that of the differences."""
    _positive(n=n, sd=sd)
    return _power_nct(n - 1, difference / sd * math.sqrt(n), alpha)


def power_ancova(
    n: float, difference: float, sd: float, correlation: float, *, alpha: float = ALPHA
) -> float:
    """Return the power of covariance analysis, whose SD is sd sqrt(1 - correlation^2)."""
    return power_t(n, difference, adjusted_sd(sd, correlation), alpha=alpha)


def power_anova(n: float, means: Sequence[float], sd: float, *, alpha: float = ALPHA) -> float:
    """Return the power of a one-way analysis of variance of equal arms."""
    _positive(n=n, sd=sd)
    k = len(means)
    if k < 2:
        raise StatisticsError(f"expected the means of two arms or more, got {k}.")
    spread = float(np.var(means)) / sd**2
    df = k * (n - 1)
    critical = f_distribution.isf(alpha, k - 1, df)
    return float(ncf.sf(critical, k - 1, df, n * k * spread))


def power_proportions(n: float, p_1: float, p_2: float, *, alpha: float = ALPHA) -> float:
    """Return the power of the two-sided test of two proportions, pooled under the hypothesis."""
    _positive(n=n)
    for p in (p_1, p_2):
        if not 0 < p < 1:
            raise StatisticsError(f"expected proportions between 0 and 1, got {p}.")
    mean = (p_1 + p_2) / 2
    null = math.sqrt(2 * mean * (1 - mean) / n)
    own = math.sqrt((p_1 * (1 - p_1) + p_2 * (1 - p_2)) / n)
    return float(ndtr((abs(p_1 - p_2) - float(ndtri(1 - alpha / 2)) * null) / own))


def power_dunnett(
    n: float, difference: float, sd: float, n_others: int, *, alpha: float = ALPHA
) -> float:
    """Return the power to detect one given arm's difference among `n_others` by Dunnett."""
    _positive(n=n, sd=sd)
    df = (n_others + 1) * (n - 1)
    correlation = np.full((n_others, n_others), 0.5) + 0.5 * np.eye(n_others)
    critical = two_sided_critical(correlation, df, 1 - alpha)
    ratio = difference / sd * math.sqrt(n / 2)
    return float(nct.sf(critical, df, ratio) + nct.cdf(-critical, df, ratio))


def power_non_inferiority(
    n: float, difference: float, margin: float, sd: float, *, alpha: float = 0.025
) -> float:
    """Return the power to show that the new arm is not worse by the margin.

    `difference` is how much better (positive) or worse the new arm truly is; alpha is one-sided.
    """
    _positive(n=n, sd=sd, margin=margin)
    df = 2 * (n - 1)
    return float(nct.sf(stdtrit(df, 1 - alpha), df, (difference + margin) / sd * math.sqrt(n / 2)))


def adjusted_sd(sd: float, correlation: float) -> float:
    """Return what is left of an SD once a covariate of that correlation is adjusted for."""
    if not -1 < correlation < 1:
        raise StatisticsError(f"expected a correlation between -1 and 1, got {correlation}.")
    return sd * math.sqrt(1 - correlation**2)


def n_for(power: Callable[[float], float], wanted: float) -> float:
    """Return the participants per arm at which a power function reaches what is wanted.

    Raises
    ------
    StatisticsError
        It never does, or the wanted power is none.
    """
    if not 0 < wanted < 1:
        raise StatisticsError(f"expected a power between 0 and 1, got {wanted}.")
    high = 4.0
    while power(high) < wanted:
        high *= 2
        if high > MOST:
            raise StatisticsError(
                f"expected a difference that {MOST:.0f} participants per arm would show, got a "
                "smaller one."
            )
    if power(2.0) >= wanted:
        return 2.0
    return float(brentq(lambda n: power(n) - wanted, 2.0, high, xtol=1e-10))


def whole(n: float, *, dropout: float = 0.0) -> int:
    """Return the participants to randomise per arm, dropouts included."""
    if not 0 <= dropout < 1:
        raise StatisticsError(f"expected a dropout of 0 to 1, got {dropout}.")
    # n is found to 1e-10; without the allowance 66.0000000001 would become 67.
    return math.ceil(math.ceil(n - 1e-9) / (1 - dropout) - 1e-9)


def _power_nct(df: float, ratio: float, alpha: float) -> float:
    critical = stdtrit(df, 1 - alpha / 2)
    upper, lower = nct.sf(critical, df, ratio), nct.cdf(-critical, df, ratio)
    # Far in the tail scipy gives NaN where the probability is nought.
    return float(np.nan_to_num(upper, nan=1.0) + np.nan_to_num(lower, nan=0.0))


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > (1 if name == "n" else 0):
            raise StatisticsError(f"expected a larger {name}, got {value}. Choose a larger one.")
