"""Music features against outcome: whether what was really heard goes with how people sleep.

A feature (tempo, mode, register, note density ...) of a person and period is the mean over what was
heard, weighted by minutes. It is split into the person's own mean (between) and the deviation from
it in each period (within): only the within part is free of everything that differs between people.
Each feature has its own mixed model, y ~ visit + baseline * visit + arm * visit + between + within,
unstructured, Kenward-Roger; leaving out the arm asks across arms instead. The p values of all
features are adjusted together for false discoveries, and the features' correlations are reported,
because features that go together cannot be told apart.

Nothing here is randomised: these are associations.

References
----------
Mundlak Y (1978). Econometrica 46, 69-85.
Bell A, Jones K (2015). Political Science Research and Methods 3, 133-153.
Benjamini Y, Hochberg Y (1995). Journal of the Royal Statistical Society B 57, 289-300.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studies.stats.adjustment import adjust_p
from studies.stats.errors import NotEstimable, StatisticsError, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, column, not_estimable
from studies.stats.family import Adjustment
from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.small_sample import Inference
from studies.stats.regression.terms import (
    OWN,
    Covariate,
    Design,
    Factor,
    Intercept,
    Term,
    VaryingCovariate,
)

Array = NDArray[np.float64]

ASSOCIATION = "an association: what was heard is no randomised quantity"
COLLINEAR = 0.8


@dataclass(frozen=True, slots=True)
class FeatureEffect:
    """One feature's slopes, per unit of the feature; p values adjusted over all features."""

    name: str
    within: Estimate
    between: Estimate
    collinear_with: tuple[str, ...]


def exposure_means(
    people: ArrayLike, periods: ArrayLike, values: ArrayLike, minutes: ArrayLike, *,
    n_people: int, n_periods: int,
) -> Array:  # fmt: skip
    """Return each person's mean of a feature in each period, weighted by minutes heard.

    Parameters
    ----------
    people, periods : array_like of int, shape (n_sessions,)
        Whose session, and before which visit.
    values : array_like, shape (n_sessions,)
        The feature of what was played.
    minutes : array_like, shape (n_sessions,)
        Really heard; 0 or more.

    Returns
    -------
    ndarray, shape (n_people, n_periods)
        NaN where nothing was heard.
    """
    who = np.asarray(people, dtype=np.intp) * n_periods + np.asarray(periods, dtype=np.intp)
    value, weight = column(values), column(minutes)
    if (weight < 0).any():
        raise StatisticsError(f"expected minutes of 0 or more, got {weight.min():g}.")
    heard = ~np.isnan(value) & (weight > 0)
    size = n_people * n_periods
    total = np.bincount(who[heard], weights=weight[heard], minlength=size)
    summed = np.bincount(who[heard], weights=(value * weight)[heard], minlength=size)
    means = np.full(size, np.nan)
    np.divide(summed, total, out=means, where=total > 0)
    return means.reshape(n_people, n_periods)


def feature_effects(
    outcomes: Array, features: Mapping[str, Array], baseline: Array, arm: Factor | None, *,
    sign: str, level: float = LEVEL, adjust: Adjustment = Adjustment.BENJAMINI_HOCHBERG,
) -> list[FeatureEffect]:  # fmt: skip
    """Return the slopes of the outcome on each feature, with false discoveries controlled.

    Parameters
    ----------
    outcomes : ndarray, shape (n, m)
        NaN marks a missed visit. Two visits or more.
    features : mapping
        Name -> exposure means, shape (n, m); NaN where nothing was heard, which leaves that visit
        out of that feature's model.
    baseline : ndarray, shape (n,)
    arm : Factor or None
        With the arm the slopes are within arms; ``None`` pools over them.
    sign : str
        What a positive slope means.
    level : float
        Of the intervals.
    adjust : Adjustment
        Over features, within and between each by itself.
    """
    found = [
        _effects(name, outcomes, heard, baseline, arm, sign, level)
        for name, heard in features.items()
    ]
    sides = [_adjusted([effect[side] for effect in found], adjust) for side in (0, 1)]
    partners = _collinear(features)
    return [
        FeatureEffect(name, within, between, partners[name])
        for name, within, between in zip(features, *sides, strict=True)
    ]


def _effects(
    name: str, outcomes: Array, heard: Array, baseline: Array, arm: Factor | None, sign: str,
    level: float,
) -> tuple[Estimate, Estimate]:  # fmt: skip
    about = {"sign": sign, "unit": "points per unit of the feature"}
    try:
        design, scores = _design(outcomes, heard, baseline, arm)
        inference = Inference(fit_mmrm(gram_of(design, scores), design))
        unit = np.eye(design.n_coefficients)
        within, between = (
            inference.estimate(
                unit[design.places(side)[0]],
                f"{name}, {side}",
                level=level,
                warnings=(ASSOCIATION,),
                **about,
            )
            for side in ("within", "between")
        )
        return within, between
    except StatisticsError as error:
        n = int((~np.isnan(outcomes + heard)).any(axis=1).sum())
        within, between = (
            not_estimable(f"{name}, {side}", n=n, method="mmrm", reason=str(error), **about)
            for side in ("within", "between")
        )
        return within, between


def _design(
    outcomes: Array, heard: Array, baseline: Array, arm: Factor | None
) -> tuple[Design, Array]:
    n, m = outcomes.shape
    if m < 2:
        raise NotEstimable("expected two visits or more to tell within from between, got one.")
    seen = ~np.isnan(outcomes) & ~np.isnan(heard) & ~np.isnan(baseline)[:, None]
    if arm is not None:
        seen &= arm.known()[:, None]
    used = seen.any(axis=1)
    if used.sum() < 3:
        raise TooFewObservations(f"expected three people or more who listened, got {used.sum()}.")
    counts = np.maximum(seen.sum(axis=1), 1)
    own_mean = np.where(seen, heard, 0.0).sum(axis=1) / counts
    deviation = np.where(seen, heard - own_mean[:, None], 0.0)
    terms = [Term(Intercept(n), OWN), Term(Covariate("baseline", baseline), OWN)]
    terms += [Term(arm, OWN)] if arm is not None else []
    terms += [Term(Covariate("between", own_mean)), Term(VaryingCovariate("within", deviation))]
    design = Design(terms, tuple(str(visit + 1) for visit in range(m)))
    return design.take(used), np.where(seen, outcomes, np.nan)[used]


def _adjusted(family: list[Estimate], method: Adjustment) -> list[Estimate]:
    judged = [place for place, estimate in enumerate(family) if estimate.p is not None]
    p = adjust_p([family[place].p for place in judged], method)
    result = list(family)
    for place, value in zip(judged, p, strict=True):
        result[place] = replace(family[place], p_adjusted=float(value), adjust=str(method))
    return result


def _collinear(features: Mapping[str, Array]) -> dict[str, tuple[str, ...]]:
    """Return, for each feature, those it correlates with beyond telling apart."""
    partners: dict[str, tuple[str, ...]] = {}
    for name, heard in features.items():
        partners[name] = tuple(
            other
            for other, values in features.items()
            if other != name and abs(_correlation(heard, values)) > COLLINEAR
        )
    return partners


def _correlation(first: Array, second: Array) -> float:
    both = ~np.isnan(first) & ~np.isnan(second)
    a, b = first[both], second[both]
    if a.size < 3 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
