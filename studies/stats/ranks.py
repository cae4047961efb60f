"""Tests that use ranks, and tests of means that allow unequal variances.

Normal approximations with tie and continuity corrections, as R's `wilcox.test(exact = FALSE)`.
They are reported beside the model, not in its place.

References
----------
Hollander M, Wolfe DA, Chicken E (2014). Nonparametric Statistical Methods, 3rd edition.
Hodges JL, Lehmann EL (1963). Annals of Mathematical Statistics 34, 598-611.
Dunn OJ (1964). Technometrics 6, 241-252.
Welch BL (1951). Biometrika 38, 330-336.
Brown MB, Forsythe AB (1974). Journal of the American Statistical Association 69, 364-367.

Numbered deviations from the source
-----------------------------------
1. The limits of the Hodges-Lehmann interval are the pairwise differences at which the tie-free
   normal approximation is cut; R solves for the cut with ties at every shift. Direction: equal
   without ties, at most one step of the scale apart with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc, ndtri
from scipy.stats import rankdata

from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.estimate import (
    LEVEL,
    NO_SIGN,
    Estimate,
    column,
    complete_pairs,
    two_sided_p,
)

Array = NDArray[np.float64]

# Up to here all pairs are formed and sorted; beyond, their order statistics are searched.
MOST_PAIRS = 4_000_000
BISECTIONS = 80


@dataclass(frozen=True, slots=True)
class RankTest:
    """A statistic with its degrees of freedom (where it has some) and p value."""

    statistic: float
    p: float
    df: float | None = None
    df_denominator: float | None = None


def mann_whitney(
    first: ArrayLike, second: ArrayLike, *, level: float = LEVEL, sign: str = NO_SIGN
) -> tuple[RankTest, Estimate]:
    """Return the Mann-Whitney test and the Hodges-Lehmann shift of the first sample.

    Raises
    ------
    TooFewObservations
        A sample is empty.
    """
    a, b = _present(first), _present(second)
    if not a.size or not b.size:
        raise TooFewObservations(f"expected two samples, got {a.size} and {b.size} values.")
    ranks = rankdata(np.concatenate([a, b]))
    u = float(ranks[: a.size].sum() - a.size * (a.size + 1) / 2)
    n = a.size + b.size
    variance = a.size * b.size / 12 * ((n + 1) - _ties(ranks) / (n * (n - 1)))
    p = _corrected_p(u - a.size * b.size / 2, variance)
    n_pairs = a.size * b.size
    plain = (n_pairs * (n + 1) / 12) ** 0.5
    cut = min(max(round(n_pairs / 2 - float(ndtri((1 + level) / 2)) * plain), 1), n_pairs)
    wanted = (cut, (n_pairs + 1) // 2, n_pairs // 2 + 1, n_pairs + 1 - cut)
    low, below, above, high = _ordered_differences(a, b, wanted)
    shift = Estimate(
        "hodges_lehmann", (below + above) / 2, low, high, n, "Hodges-Lehmann shift", sign,
        "points", p=p,
    )  # fmt: skip
    return RankTest(u, p), shift


def signed_rank(baseline: ArrayLike, follow_up: ArrayLike) -> RankTest:
    """Return Wilcoxon's signed-rank test; pairs without a change are left out.

    Raises
    ------
    NotEstimable
        Nobody changed.
    """
    before, after = complete_pairs(baseline, follow_up)
    change = before - after
    change = change[change != 0]
    if not change.size:
        raise NotEstimable("expected participants whose score changed, got none.")
    n, ranks = change.size, rankdata(np.abs(change))
    v = float(ranks[change > 0].sum())
    variance = n * (n + 1) * (2 * n + 1) / 24 - _ties(ranks) / 48
    return RankTest(v, _corrected_p(v - n * (n + 1) / 4, variance))


def kruskal_wallis(samples: Sequence[ArrayLike]) -> RankTest:
    """Return the Kruskal-Wallis test of several samples, corrected for ties."""
    parts, ranks, sizes = _ranked(samples)
    n = int(sizes.sum())
    sums = np.array([part.sum() for part in parts])
    ties = 1 - _ties(ranks) / (n**3 - n)
    if ties == 0:
        raise NotEstimable("expected values that differ, got one value only.")
    h = float((12 / (n * (n + 1)) * (sums**2 / sizes).sum() - 3 * (n + 1)) / ties)
    return RankTest(h, float(chdtrc(len(parts) - 1, h)), df=len(parts) - 1)


def dunn(samples: Sequence[ArrayLike]) -> dict[tuple[int, int], RankTest]:
    """Return Dunn's tests of all pairs of samples, corrected for ties; p values not adjusted."""
    parts, ranks, sizes = _ranked(samples)
    n = int(sizes.sum())
    means = [part.mean() for part in parts]
    spread = n * (n + 1) / 12 - _ties(ranks) / (12 * (n - 1))
    if spread == 0:
        raise NotEstimable("expected values that differ, got one value only.")
    result = {}
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            z = float((means[i] - means[j]) / (spread * (1 / sizes[i] + 1 / sizes[j])) ** 0.5)
            result[i, j] = RankTest(z, two_sided_p(z))
    return result


def anova(samples: Sequence[ArrayLike]) -> RankTest:
    """Return the one-way analysis of variance."""
    parts = _filled(samples)
    n, k = sum(part.size for part in parts), len(parts)
    if n <= k:
        raise TooFewObservations(f"expected more values than {k} samples, got {n}.")
    grand = np.concatenate(parts).mean()
    between = sum(part.size * (part.mean() - grand) ** 2 for part in parts)
    within = sum(((part - part.mean()) ** 2).sum() for part in parts)
    if within == 0:
        raise NotEstimable("expected values that vary within a sample, got constant samples.")
    f = float((between / (k - 1)) / (within / (n - k)))
    return RankTest(f, float(fdtrc(k - 1, n - k, f)), df=k - 1, df_denominator=n - k)


def welch_anova(samples: Sequence[ArrayLike]) -> RankTest:
    """Return Welch's analysis of variance, which allows unequal variances."""
    parts = _filled(samples)
    variances = np.array([part.var(ddof=1) if part.size > 1 else 0.0 for part in parts])
    if (variances == 0).any():
        raise NotEstimable("expected values that vary in every sample, got a constant one.")
    sizes = np.array([part.size for part in parts])
    weights, k = sizes / variances, len(parts)
    means = np.array([part.mean() for part in parts])
    centre = weights @ means / weights.sum()
    lack = float(((1 - weights / weights.sum()) ** 2 / (sizes - 1)).sum())
    above = float(weights @ (means - centre) ** 2) / (k - 1)
    f = above / (1 + 2 * (k - 2) / (k**2 - 1) * lack)
    denominator = (k**2 - 1) / (3 * lack)
    return RankTest(f, float(fdtrc(k - 1, denominator, f)), df=k - 1, df_denominator=denominator)


def levene_median(samples: Sequence[ArrayLike]) -> RankTest:
    """Return Brown and Forsythe's test that the samples spread alike around their medians."""
    return anova([np.abs(part - np.median(part)) for part in _filled(samples)])


def _ordered_differences(a: Array, b: Array, wanted: Sequence[int]) -> list[float]:
    """Return the k-th smallest of all a - b, for each k from 1."""
    if a.size * b.size <= MOST_PAIRS:
        differences = np.sort(np.subtract.outer(a, b).ravel())
        return [float(differences[k - 1]) for k in wanted]
    b = np.sort(b)
    return [_kth_difference(a, b, k) for k in wanted]


def _kth_difference(a: Array, b: Array, k: int) -> float:
    """Return the k-th smallest a - b without forming them all; b ascending."""
    low, high = float(a.min() - b[-1]), float(a.max() - b[0])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        n_up_to = a.size * b.size - int(np.searchsorted(b, a - middle, side="left").sum())
        low, high = (low, middle) if n_up_to >= k else (middle, high)
    # The bound is within rounding of a difference that occurs: take the nearest one.
    place = np.searchsorted(b, a - high)
    near = [a - b[np.clip(place + step, 0, b.size - 1)] for step in (-1, 0)]
    found = np.concatenate(near)
    return float(found[np.argmin(np.abs(found - high))])


def _ranked(samples: Sequence[ArrayLike]) -> tuple[list[Array], Array, NDArray[np.intp]]:
    parts = _filled(samples)
    sizes = np.array([part.size for part in parts])
    ranks = rankdata(np.concatenate(parts))
    return np.split(ranks, np.cumsum(sizes)[:-1]), ranks, sizes


def _filled(samples: Sequence[ArrayLike]) -> list[Array]:
    parts = [_present(sample) for sample in samples]
    if len(parts) < 2 or not all(part.size for part in parts):
        sizes = [part.size for part in parts]
        raise TooFewObservations(f"expected two samples or more with values, got sizes {sizes}.")
    return parts


def _present(values: ArrayLike) -> Array:
    everything = column(values)
    return everything[~np.isnan(everything)]


def _ties(ranks: Array) -> float:
    _values, counts = np.unique(ranks, return_counts=True)
    return float((counts.astype(float) ** 3 - counts).sum())


def _corrected_p(difference: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return two_sided_p((difference - 0.5 * np.sign(difference)) / variance**0.5)
