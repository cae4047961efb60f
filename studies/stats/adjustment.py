"""p values and intervals for several comparisons at once.

References
----------
Holm S (1979). Scandinavian Journal of Statistics 6, 65-70.
Hochberg Y (1988). Biometrika 75, 800-802.
Hommel G (1988). Biometrika 75, 383-386.
Benjamini Y, Hochberg Y (1995). Journal of the Royal Statistical Society B 57, 289-300.
Benjamini Y, Yekutieli D (2001). Annals of Statistics 29, 1165-1188.
Dunnett CW, Tamhane AC (1991). Statistics in Medicine 10, 939-947.
Dmitrienko A, D'Agostino R (2013). Statistics in Medicine 32, 5172-5218.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import studentized_range

from studies.stats.errors import StatisticsError
from studies.stats.estimate import Estimate
from studies.stats.family import Adjustment
from studies.stats.multivariate_t import outside, two_sided_critical

Array = NDArray[np.float64]


def adjust_p(p_values: ArrayLike, method: Adjustment) -> Array:
    """Return p values adjusted for their number, in their order.

    Parameters
    ----------
    p_values : array_like, shape (k,)
    method : Adjustment
        One that needs the p values alone; Dunnett needs `dunnett`.

    Raises
    ------
    StatisticsError
        A p value is not one, or the method needs more than p values.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise StatisticsError(f"expected p values from 0 to 1, got {p.tolist()}.")
    if method not in RULES:
        raise StatisticsError(f"expected a method on p values alone, got {method}. Use dunnett().")
    return RULES[method](p) if p.size else p


def _bonferroni(p: Array) -> Array:
    return np.minimum(1, p * p.size)


def _holm(p: Array) -> Array:
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return _back(np.minimum(1, steps), order)


def _hochberg(p: Array) -> Array:
    return _step_up(p, np.arange(1, p.size + 1, dtype=np.float64))


def _benjamini_hochberg(p: Array) -> Array:
    return _step_up(p, p.size / np.arange(p.size, 0, -1))


def _benjamini_yekutieli(p: Array) -> Array:
    harmonic = (1 / np.arange(1, p.size + 1)).sum()
    return _step_up(p, harmonic * p.size / np.arange(p.size, 0, -1))


def _step_up(p: Array, factors: Array) -> Array:
    """Return the running minimum from the largest p value down, each times its factor."""
    order = np.argsort(-p, kind="stable")
    return _back(np.minimum(1, np.minimum.accumulate(p[order] * factors)), order)


def _hommel(p: Array) -> Array:
    n = p.size
    order = np.argsort(p, kind="stable")
    ordered = p[order]
    best = np.full(n, (n * ordered / np.arange(1, n + 1)).min())
    adjusted = best.copy()
    for size in range(n - 1, 1, -1):
        first, last = np.arange(n - size + 1), np.arange(n - size + 1, n)
        least = (size * ordered[last] / np.arange(2, size + 1)).min()
        best[first] = np.minimum(size * ordered[first], least)
        best[last] = best[n - size]
        adjusted = np.maximum(adjusted, best)
    return _back(np.minimum(1, np.maximum(adjusted, ordered)), order)


def _back(values: Array, order: NDArray[np.intp]) -> Array:
    result = np.empty_like(values)
    result[order] = values
    return result


RULES: dict[Adjustment, Callable[[Array], Array]] = {
    Adjustment.NONE: np.copy,
    Adjustment.BONFERRONI: _bonferroni,
    Adjustment.HOLM: _holm,
    Adjustment.HOCHBERG: _hochberg,
    Adjustment.HOMMEL: _hommel,
    Adjustment.BENJAMINI_HOCHBERG: _benjamini_hochberg,
    Adjustment.BENJAMINI_YEKUTIELI: _benjamini_yekutieli,
}


def dunnett(ratios: ArrayLike, covariance: Array, df: float | None) -> Array:
    """Return Dunnett's single-step p values from the model's own covariance of the contrasts.

    Parameters
    ----------
    ratios : array_like, shape (k,)
        Estimates over their standard errors.
    covariance : ndarray, shape (k, k)
        Of the estimates.
    df : float or None
        Degrees of freedom; where the contrasts differ, the smallest, which is on the safe side.
    """
    correlation = correlation_of(covariance)
    return np.array([outside(abs(t), correlation, df) for t in np.asarray(ratios, dtype=float)])


def dunnett_step_down(ratios: ArrayLike, covariance: Array, df: float | None) -> Array:
    """Return Dunnett and Tamhane's step-down p values: each among those not yet rejected."""
    t = np.abs(np.asarray(ratios, dtype=float))
    correlation, order = correlation_of(covariance), np.argsort(-t, kind="stable")
    steps = np.array(
        [
            outside(float(t[place]), correlation[np.ix_(order[rank:], order[rank:])], df)
            for rank, place in enumerate(order)
        ]
    )
    return _back(np.maximum.accumulate(steps), order)


def dunnett_critical(covariance: Array, df: float | None, level: float) -> float:
    """Return the multiple of the standard error that makes all intervals hold together."""
    return two_sided_critical(correlation_of(covariance), df, level)


def tukey(ratios: ArrayLike, n_arms: int, df: float) -> Array:
    """Return Tukey's (Kramer's) p values of all pairs of arms."""
    t = np.abs(np.asarray(ratios, dtype=float))
    return np.minimum(1, studentized_range.sf(t * 2**0.5, n_arms, df))


def correlation_of(covariance: Array) -> Array:
    """Return the correlation matrix of a covariance matrix."""
    sd = np.sqrt(np.diag(covariance))
    return covariance / np.outer(sd, sd)


def adjusted(
    family: Sequence[Estimate], method: Adjustment, covariance: Array | None = None
) -> list[Estimate]:
    """Return a family with adjusted p values; an estimate without a p value stays as it is.

    Parameters
    ----------
    family : sequence of Estimate
    method : Adjustment
    covariance : ndarray, shape (k, k), optional
        Of the estimates that have a p value; Dunnett needs it.
    """
    judged = [place for place, estimate in enumerate(family) if estimate.p is not None]
    if method is Adjustment.NONE or not judged:
        return list(family)
    p = _family_p([family[place] for place in judged], method, covariance)
    result = list(family)
    for place, value in zip(judged, p, strict=True):
        result[place] = replace(family[place], p_adjusted=float(value), adjust=str(method))
    return result


def _family_p(family: Sequence[Estimate], method: Adjustment, covariance: Array | None) -> Array:
    if method not in (Adjustment.DUNNETT, Adjustment.DUNNETT_STEP_DOWN):
        return adjust_p([estimate.p for estimate in family], method)
    if covariance is None:
        raise StatisticsError("expected the covariance of the contrasts for Dunnett, got none.")
    ratios = [estimate.value / estimate.se for estimate in family]
    known = [estimate.df for estimate in family if estimate.df is not None]
    rule = dunnett if method is Adjustment.DUNNETT else dunnett_step_down
    return rule(ratios, covariance, min(known) if known else None)


def gatekept(stages: Sequence[ArrayLike], method: Adjustment = Adjustment.HOLM) -> list[Array]:
    """Return p values of families tested in order, each only once all before it are rejected.

    Parameters
    ----------
    stages : sequence of array_like
        p values of each family, the primary one first.
    method : Adjustment
        Within each family.
    """
    gate, result = 0.0, []
    for stage in stages:
        within = np.maximum(adjust_p(stage, method), gate)
        gate = float(within.max(initial=gate))
        result.append(within)
    return result
