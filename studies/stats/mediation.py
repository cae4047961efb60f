"""Mediation: how much of an arm's effect goes through something measured on the way.

Two least-squares models, for example with stress at week 4 on the way to sleep at week 8:

    mediator ~ arm + covariates               slope a of the arm
    outcome  ~ mediator + arm + covariates    slope b of the mediator, direct effect c'

The indirect effect is a b. Its interval is that of the product of two normal estimates, by Monte
Carlo with a seed. The mediator is not randomised: a b is causal only if nothing else drives both it
and the outcome. `error_correlation_at_zero` says how strongly such a thing would have to correlate
the errors of the two models to explain the indirect effect away.

References
----------
MacKinnon DP, Lockwood CM, Williams J (2004). Multivariate Behavioral Research 39, 99-128.
Imai K, Keele L, Tingley D (2010). Psychological Methods 15, 309-334 (sensitivity, section 4).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import NotEstimable, StatisticsError, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, wald

Array = NDArray[np.float64]

N_DRAWS = 100_000
ASSUMPTION = "holds if nothing unmeasured drives both mediator and outcome"


@dataclass(frozen=True, slots=True)
class Mediation:
    """The paths of a mediation; `error_correlation_at_zero` within -1 and 1."""

    arm_on_mediator: Estimate
    mediator_on_outcome: Estimate
    indirect: Estimate
    direct: Estimate
    total: Estimate
    error_correlation_at_zero: float


def mediation(
    outcome: Array, mediator: Array, allocated: Array, covariates: Array, *,
    mediator_visit: float, outcome_visit: float, sign: str, seed: int = 1, level: float = LEVEL,
) -> Mediation:  # fmt: skip
    """Return the direct and the indirect effect of one arm against another.

    Parameters
    ----------
    outcome, mediator : ndarray, shape (n,)
        NaN marks a missing value; only complete people are used.
    allocated : ndarray, shape (n,)
        1 for the arm, 0 for the reference.
    covariates : ndarray, shape (n, q)
        With the column of ones; baselines of mediator and outcome belong here.
    mediator_visit, outcome_visit : float
        When each was measured.
    sign : str
        What a positive number means.
    seed : int
        Of the Monte Carlo interval.

    Raises
    ------
    StatisticsError
        The mediator was not measured before the outcome.
    TooFewObservations
        There are not more complete people than effects.
    NotEstimable
        The mediator does not vary.
    """
    if not mediator_visit < outcome_visit:
        raise StatisticsError(
            f"expected a mediator measured before the outcome, got visits {mediator_visit:g} and "
            f"{outcome_visit:g}. What comes later cannot be on the way."
        )
    y, m, z, w = _complete(outcome, mediator, allocated, covariates)
    n, about = len(y), {"n": len(y), "sign": sign, "unit": "points", "level": level}
    first = _fit(np.column_stack([w, z]), m)
    second = _fit(np.column_stack([w, z, m]), y)
    whole = _fit(np.column_stack([w, z]), y)
    (a, se_a), (b, se_b) = first.at(-1), second.at(-1)
    draws = np.random.default_rng(seed).normal(size=(2, N_DRAWS))
    products = (a + se_a * draws[0]) * (b + se_b * draws[1])
    low, high = np.quantile(products, [(1 - level) / 2, (1 + level) / 2])
    below = float((products <= 0).mean())
    indirect = Estimate(
        "indirect", a * b, float(low), float(high), n, "product of coefficients, Monte Carlo", sign,
        "points", se=float(products.std()), p=min(1.0, 2 * min(below, 1 - below) + 1 / N_DRAWS),
        warnings=(ASSUMPTION,),
    )  # fmt: skip

    def path(label: str, found: tuple[float, float], df: int) -> Estimate:
        return wald(label, *found, df=df, method="least squares", **about)

    return Mediation(
        path("arm_on_mediator", (a, se_a), first.df),
        path("mediator_on_outcome", (b, se_b), second.df), indirect,
        path("direct", second.at(-2), second.df), path("total", whole.at(-1), whole.df),
        float(np.corrcoef(first.residuals, whole.residuals)[0, 1]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class _Fit:
    beta: Array
    covariance: Array
    residuals: Array
    df: int

    def at(self, place: int) -> tuple[float, float]:
        return float(self.beta[place]), float(self.covariance[place, place]) ** 0.5


def _fit(w: Array, y: Array) -> _Fit:
    inner = w.T @ w
    if np.linalg.matrix_rank(w) < w.shape[1]:
        raise NotEstimable(
            "expected mediator, arm and covariates that vary by themselves, got redundant ones."
        )
    beta, *_rest = np.linalg.lstsq(w, y, rcond=None)
    residuals, df = y - w @ beta, len(y) - w.shape[1]
    return _Fit(beta, np.linalg.inv(inner) * float(residuals @ residuals) / df, residuals, df)


def _complete(*columns: Array) -> tuple[Array, ...]:
    *single, covariates = columns
    known = ~np.isnan(np.column_stack([*single, covariates])).any(axis=1)
    if known.sum() <= covariates.shape[1] + 3:
        raise TooFewObservations(f"expected more complete people than effects, got {known.sum()}.")
    return tuple(part[known] for part in columns)
