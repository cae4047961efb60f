"""Reference-based imputation: as if those who left had gone on like the reference arm.

The mixed model assumes that a missed visit would have looked like those of similar people in the
same arm (missing at random). After a participant's last observed visit these strategies replace the
mean of that person's missing visits:

MAR  own arm throughout
J2R  jump to reference: own arm up to the last observed visit, the reference arm's mean afterwards
CR   copy reference: the reference arm's mean throughout
CIR  copy increments in reference: from the own mean at the last observed visit on, the
     reference arm's changes

Visits missed between observed ones are imputed under MAR (under CR: around the reference's mean).
Each missing value becomes its conditional mean given the person's observed ones; the completed
scores are analysed by y ~ arm + baseline + strata at each visit; the standard error is the
jackknife's, one participant left out at a time, model and imputation done again. Nothing is drawn.

A delta worsens every imputed value outside the reference arm by so many points; the tipping point
is the least delta at which the contrast is no longer significant.

References
----------
Carpenter JR, Roger JH, Kenward MG (2013). Journal of Biopharmaceutical Statistics 23, 1352-1371.
Wolbers M et al. (2022). Pharmaceutical Statistics 21, 1246-1257 (conditional mean and jackknife).
Cro S, Morris TP, Kenward MG, Carpenter JR (2020). Statistics in Medicine 39, 2815-2842.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from studies.stats.errors import NotEstimable
from studies.stats.estimate import LEVEL, Estimate, two_sided_p, wald
from studies.stats.regression.mmrm import MmrmFit, fit_mmrm
from studies.stats.regression.patterns import PatternGram, gram_of
from studies.stats.regression.terms import Design, Factor

Array = NDArray[np.float64]

MAR = "MAR"
STRATEGIES = (MAR, "J2R", "CR", "CIR")
# A jackknife refits the model for each participant; above this many it takes minutes.
MOST_PARTICIPANTS = 3_000
FARTHEST_DELTA = 50.0


@dataclass(frozen=True, eq=False, slots=True)
class Imputed:
    """Contrasts of the completed scores and their jackknife; r results, m visits, k arms.

    Parameters
    ----------
    names : tuple of str
        The strategies, and last ``delta``: what one point of delta adds to a contrast under MAR.
    values : ndarray, shape (r, m, k)
        Arm - reference.
    left_out : ndarray, shape (n, r, m, k)
        The same without each participant.
    n : int
    n_imputed : int
        Missing values that were imputed.
    """

    names: tuple[str, ...]
    values: Array
    left_out: Array
    n: int
    n_imputed: int

    def estimate(
        self, strategy: str, visit: int, arm: int, *, sign: str, delta: float = 0.0,
        level: float = LEVEL,
    ) -> Estimate:  # fmt: skip
        """Return one contrast, with delta points added to the imputed values if so wished."""
        value, se = self._with_delta(strategy, visit, arm, delta)
        return wald(
            f"{strategy}, delta {delta:g}" if delta else strategy, value, se, n=self.n, level=level,
            method="conditional mean imputation, jackknife", sign=sign, unit="points",
            warnings=(f"{self.n_imputed} values imputed",),
        )  # fmt: skip

    def tipping_point(
        self, visit: int, arm: int, *, direction: float = 1.0, level: float = LEVEL
    ) -> float | None:
        """Return the least delta at which the contrast under MAR is no longer significant.

        ``None`` where it is not significant to begin with, or stays so up to 50 points.
        """

        def excess(size: float) -> float:
            value, se = self._with_delta(MAR, visit, arm, direction * size)
            return two_sided_p(value / se) - (1 - level)

        if excess(0.0) >= 0 or excess(FARTHEST_DELTA) < 0:
            return None
        return direction * float(brentq(excess, 0.0, FARTHEST_DELTA, xtol=1e-10))

    def _with_delta(self, strategy: str, visit: int, arm: int, delta: float) -> tuple[float, float]:
        place = self.names.index(strategy)
        value = self.values[place, visit, arm] + delta * self.values[-1, visit, arm]
        jack = self.left_out[:, place, visit, arm] + delta * self.left_out[:, -1, visit, arm]
        spread = ((jack - jack.mean()) ** 2).sum() * (self.n - 1) / self.n
        return float(value), float(spread) ** 0.5


@dataclass(frozen=True, eq=False, slots=True)
class _Trial:
    """What does not change from one refit to the next."""

    design: Design
    w: Array
    in_reference: Array
    outcomes: Array
    missing: NDArray[np.bool_]
    after: NDArray[np.bool_]
    groups: tuple[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]], ...]
    n_arms: int


def impute_by_reference(
    design: Design, outcomes: Array, *, strategies: Sequence[str] = STRATEGIES
) -> Imputed:
    """Return the contrasts of every strategy at every visit, with their jackknife.

    Parameters
    ----------
    design : Design
        Of the mixed model; the arm is its last term, the reference its first level, and baseline
        and strata are the terms between intercept and arm. All sources are known.
    outcomes : ndarray, shape (n, m)
        NaN marks a missed visit; people without any follow-up are imputed too.
    strategies : sequence of str
        Of `STRATEGIES`; MAR is always added.

    Raises
    ------
    NotEstimable
        A cell is empty, or there are too many people for a jackknife.
    StatisticsError
        The mixed model cannot be fitted.
    """
    n = len(outcomes)
    if n > MOST_PARTICIPANTS:
        raise NotEstimable(
            f"expected up to {MOST_PARTICIPANTS} participants for a jackknife, got {n}. Use "
            "multiple imputation instead."
        )
    names = tuple(dict.fromkeys((MAR, *strategies)))
    trial = _trial_of(design, outcomes)
    gram = gram_of(design, outcomes)
    fit = fit_mmrm(gram, design)
    if fit.coordinates.redundant:
        raise NotEstimable(
            f"the data do not determine {', '.join(fit.coordinates.redundant)}, which imputation "
            "needs. Leave the visit or the covariate out of the plan."
        )
    everybody = np.ones(n, dtype=bool)
    values = _contrasts(trial, fit, names, everybody)
    left_out = np.array([_without(trial, gram, fit, names, place) for place in range(n)])
    return Imputed((*names, "delta"), values, left_out, n, int(trial.missing.sum()))


def _trial_of(design: Design, outcomes: Array) -> _Trial:
    arm = design.terms[-1].source
    if not isinstance(arm, Factor):
        raise NotEstimable("expected the arm as the last term of the model, got something else.")
    w = design.block(slice(None))
    n_arms = len(arm.levels) - 1
    in_reference = w.copy()
    in_reference[:, -n_arms:] = 0
    missing = np.isnan(outcomes)
    # A visit is after the event when nothing is observed from it on.
    after = np.flip(np.logical_and.accumulate(np.flip(missing, axis=1), axis=1), axis=1)
    groups = tuple(
        (np.flatnonzero((missing == kind).all(axis=1)), np.flatnonzero(kind), np.flatnonzero(~kind))
        for kind in np.unique(missing, axis=0)
        if kind.any() and not kind.all()
    )
    return _Trial(design, w, in_reference, outcomes, missing, after, groups, n_arms)


def _without(
    trial: _Trial, gram: PatternGram, fit: MmrmFit, names: tuple[str, ...], place: int
) -> Array:
    kept = np.ones(len(trial.outcomes), dtype=bool)
    kept[place] = False
    if not trial.missing[place].all():
        fewer = gram.without(trial.w[place], trial.outcomes[place])
        fit = fit_mmrm(fewer, trial.design, start=fit.sigma)
    return _contrasts(trial, fit, names, kept)


def _contrasts(
    trial: _Trial, fit: MmrmFit, names: tuple[str, ...], kept: NDArray[np.bool_]
) -> Array:
    """Return the contrasts of every strategy, and of one point of delta, shape (r, m, k)."""
    beta = fit.coefficients
    index = trial.design.index
    weights = np.where(index >= 0, beta[index], 0.0).T
    own, reference = trial.w @ weights, trial.in_reference @ weights
    completed = [
        _completed(trial, fit.sigma, _means(name, own, reference, trial.after)) for name in names
    ]
    # The reference arm has the reference's columns: there delta adds nothing.
    outside = (trial.w[:, -trial.n_arms :].sum(axis=1) > 0)[:, None]
    completed.append((trial.missing & outside).astype(float))
    targets = np.stack(completed, axis=1)[kept].reshape(int(kept.sum()), -1)
    coefficients, *_rest = np.linalg.lstsq(trial.w[kept], targets, rcond=None)
    found = coefficients[-trial.n_arms :].reshape(trial.n_arms, len(completed), -1)
    return found.transpose(1, 2, 0)


def _means(name: str, own: Array, reference: Array, after: NDArray[np.bool_]) -> Array:
    """Return each person's mean at each visit under a strategy, shape (n, m)."""
    if name == MAR:
        return own
    if name == "CR":
        return np.where(after.any(axis=1, keepdims=True), reference, own)
    if name == "J2R":
        return np.where(after, reference, own)
    last = (~after).sum(axis=1) - 1
    lead = (own - reference)[np.arange(len(own)), np.maximum(last, 0)]
    lead = np.where(last >= 0, lead, 0.0)
    return np.where(after, reference + lead[:, None], own)


def _completed(trial: _Trial, sigma: Array, means: Array) -> Array:
    """Return the scores with each missing one replaced by its conditional mean."""
    completed = np.where(trial.missing, means, trial.outcomes)
    for who, gone, seen in trial.groups:
        slope = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, gone)])
        residual = trial.outcomes[np.ix_(who, seen)] - means[np.ix_(who, seen)]
        completed[np.ix_(who, gone)] = means[np.ix_(who, gone)] + residual @ slope
    return completed
