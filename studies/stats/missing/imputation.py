"""Multiple imputation: completing the scores several times, and pooling what they say.

Scores are imputed under missing at random from the mixed model. So that the imputations carry the
uncertainty of the model too, each is drawn from a fit to a bootstrap sample of participants.
Pooling is Rubin's, with the degrees of freedom of Barnard and Rubin, which never exceed those of
complete data; several coefficients are tested together by D1.

References
----------
Rubin DB (1987). Multiple Imputation for Nonresponse in Surveys, chapter 3.
Barnard J, Rubin DB (1999). Biometrika 86, 948-955.
Li KH, Raghunathan TE, Rubin DB (1991). Journal of the American Statistical Association 86,
1065-1073. Honaker J, King G (2010). American Journal of Political Science 54, 561-581
(bootstrap).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

from studies.stats.errors import NotEstimable, StatisticsError, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, wald
from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.terms import Design

Array = NDArray[np.float64]

N_IMPUTATIONS = 20
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Pooled:
    """One coefficient pooled over imputations.

    Parameters
    ----------
    value, se, df : float
    riv : float
        Relative increase in variance due to missing values.
    fmi : float
        Fraction of missing information.
    """

    value: float
    se: float
    df: float
    riv: float
    fmi: float

    def estimate(
        self, label: str, *, n: int, sign: str, level: float = LEVEL, unit: str = "points"
    ) -> Estimate:
        """Return it with interval and p value."""
        return wald(
            label, self.value, self.se, df=self.df, n=n, level=level, sign=sign, unit=unit,
            method="multiple imputation, Barnard-Rubin",
            warnings=(f"fraction of missing information {self.fmi:.2f}",),
        )  # fmt: skip


def pooled(
    values: ArrayLike, variances: ArrayLike, df_complete: float, *, is_classical: bool = False
) -> Pooled:
    """Return a coefficient pooled by Rubin's rules.

    Parameters
    ----------
    values, variances : array_like, shape (m,)
        Of the coefficient in each completed data set.
    df_complete : float
        Degrees of freedom were nothing missing.
    is_classical : bool
        Rubin's degrees of freedom of 1987 instead of Barnard and Rubin's.

    Raises
    ------
    TooFewObservations
        There are fewer than two imputations.
    """
    q, u = np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    m = q.size
    if m < 2 or u.shape != q.shape:
        raise TooFewObservations(f"expected two imputations or more with variances, got {m}.")
    within, between = float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    if within <= 0:
        raise StatisticsError("expected positive variances of the imputations, got none.")
    riv = (1 + 1 / m) * between / within
    share = (1 + 1 / m) * between / total
    df = _df(m, share, df_complete, is_classical=is_classical)
    fmi = (riv + 2 / (df + 3)) / (riv + 1)
    return Pooled(float(q.mean()), total**0.5, df, riv, fmi)


def joint_test(values: ArrayLike, covariances: ArrayLike) -> tuple[float, int, float, float]:
    """Return D1, its two df and p value, that several coefficients are all nought.

    Parameters
    ----------
    values : array_like, shape (m, k)
    covariances : array_like, shape (m, k, k)
    """
    q, u = np.asarray(values, dtype=float), np.asarray(covariances, dtype=float)
    m, k = q.shape
    if m < 2:
        raise TooFewObservations(f"expected two imputations or more, got {m}.")
    mean, within = q.mean(axis=0), u.mean(axis=0)
    between = np.atleast_2d(np.cov(q.T))
    r = (1 + 1 / m) * float(np.trace(between @ np.linalg.inv(within))) / k
    d1 = float(mean @ np.linalg.solve(within, mean)) / (k * (1 + r))
    t = k * (m - 1)
    if t > 4:
        df = 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2
    else:
        df = t * (1 + 1 / k) * (1 + 1 / r) ** 2 / 2
    return d1, k, float(df), float(fdtrc(k, df, d1))


def completed_scores(
    design: Design, outcomes: Array, *, n_imputations: int = N_IMPUTATIONS, seed: int = 1
) -> Iterator[Array]:
    """Yield the scores with missing ones drawn under missing at random, shape (n, m).

    Parameters
    ----------
    design : Design
        Of the mixed model, all sources known.
    outcomes : ndarray, shape (n, m)
    n_imputations : int
    seed : int

    Raises
    ------
    NotEstimable
        Bootstrap samples cannot be fitted, again and again.
    """
    rng = np.random.default_rng(seed)
    w, index = design.block(slice(None)), design.index
    missing = np.isnan(outcomes)
    for _ in range(n_imputations):
        beta, sigma = _bootstrap_fit(design, outcomes, rng)
        means = w @ np.where(index >= 0, beta[index], 0.0).T
        yield _drawn(outcomes, missing, means, sigma, rng)


def _df(m: int, share: float, df_complete: float, *, is_classical: bool) -> float:
    if share == 0:
        return df_complete
    old = (m - 1) / share**2
    if is_classical:
        return old
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return old * observed / (old + observed)


def _bootstrap_fit(
    design: Design, outcomes: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    for _ in range(MOST_FAILURES):
        rows = rng.integers(0, len(outcomes), len(outcomes))
        sample = design.take(rows)
        try:
            fit = fit_mmrm(gram_of(sample, outcomes[rows]), sample)
        except StatisticsError:
            continue
        if not fit.coordinates.redundant:
            return fit.coefficients, fit.sigma
    raise NotEstimable(
        f"expected bootstrap samples that the model fits, got {MOST_FAILURES} in a row that it "
        "does not: an arm and visit with hardly anybody. Impute nothing, or analyse fewer visits."
    )


def _drawn(
    outcomes: Array, missing: NDArray[np.bool_], means: Array, sigma: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    completed = outcomes.copy()
    noise = rng.normal(size=outcomes.shape)
    for kind in np.unique(missing, axis=0):
        gone, seen = np.flatnonzero(kind), np.flatnonzero(~kind)
        if not gone.size:
            continue
        who = np.flatnonzero((missing == kind).all(axis=1))
        centre, spread = means[np.ix_(who, gone)], sigma[np.ix_(gone, gone)]
        if seen.size:
            slope = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, gone)])
            centre = centre + (outcomes[np.ix_(who, seen)] - means[np.ix_(who, seen)]) @ slope
            spread = spread - sigma[np.ix_(gone, seen)] @ slope
        root = np.linalg.cholesky((spread + spread.T) / 2)
        completed[np.ix_(who, gone)] = centre + noise[np.ix_(who, gone)] @ root.T
    return completed
