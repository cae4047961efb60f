"""How reliable a scale is, and which change of one person is more than chance.

alpha             Cronbach's, with Feldt's interval
omega             McDonald's, from one factor by maximum likelihood on the correlations of the items
item_rest         correlation of an item with the sum of the others, and alpha without it
retest            ICC(2,1): two-way random effects, absolute agreement, single measure
standard_error    SD sqrt(1 - reliability), and 1.96 sqrt(2) of it: the smallest detectable change
reliable_change   Jacobson and Truax's index of one person, (before - after) / (sqrt(2) SEM)

People with an item missing are left out and counted.

References
----------
Cronbach LJ (1951). Psychometrika 16, 297-334.
Feldt LS, Woodruff DJ, Salih FA (1987). Applied Psychological Measurement 11, 93-103.
McDonald RP (1999). Test Theory: A Unified Treatment.
Joereskog KG (1967). Psychometrika 32, 443-482.
Shrout PE, Fleiss JL (1979). Psychological Bulletin 86, 420-428.
Jacobson NS, Truax P (1991). Journal of Consulting and Clinical Psychology 59, 12-19.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import fdtri

from studies.stats.change import Direction
from studies.stats.errors import NotConverged, NotEstimable, StatisticsError, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, complete_pairs

Array = NDArray[np.float64]

FEWEST_ITEMS = 2
DETECTABLE = 1.96 * 2**0.5


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """One item among the others."""

    rest_correlation: float
    alpha_without: float | None
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """The reliability of a sum of items; no omega where one factor does not fit them."""

    alpha: Estimate
    alpha_standardised: float
    omega: float | None
    items: tuple[ItemFigures, ...]
    n: int
    n_incomplete: int
    standard_error: float
    smallest_detectable_change: float


class ChangeClass(StrEnum):
    """What a person's change amounts to."""

    RECOVERED = "recovered"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    DETERIORATED = "deteriorated"


def scale_figures(items: ArrayLike, *, level: float = LEVEL) -> ScaleFigures:
    """Return the reliability of a scale.

    Parameters
    ----------
    items : array_like, shape (n_people, n_items)
        Scored in one direction; NaN marks a missing answer.

    Raises
    ------
    TooFewObservations
        There are fewer than two items, or not more complete people than items.
    NotEstimable
        An item does not vary.
    """
    answers, n_incomplete = _complete(items)
    n, k = answers.shape
    covariance = np.cov(answers.T)
    value = _alpha(covariance)
    total_sd = float(answers.sum(axis=1).std(ddof=1))
    error = total_sd * max(0.0, 1 - value) ** 0.5
    low, high = _feldt(value, n, k, level)
    alpha = Estimate(
        "alpha", value, low, high, n, "Cronbach's alpha, Feldt interval", "higher is better",
        "reliability", warnings=(f"{n_incomplete} incomplete left out",) if n_incomplete else (),
    )  # fmt: skip
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    return ScaleFigures(
        alpha, _alpha(correlation), _omega_if_any(correlation),
        tuple(_item(answers, place) for place in range(k)), n, n_incomplete, error,
        DETECTABLE * error,
    )  # fmt: skip


def omega(correlation: Array) -> float:
    """Return omega of one factor that is fitted to a correlation (or covariance) matrix by ML.

    Raises
    ------
    NotConverged
        The factor has no finite fit.
    """
    k = len(correlation)
    log_det = float(np.linalg.slogdet(correlation)[1])

    def lack_of_fit(values: Array) -> tuple[float, Array]:
        loadings, unique = values[:k], np.exp(values[k:])
        implied = np.outer(loadings, loadings) + np.diag(unique)
        inverse = np.linalg.inv(implied)
        lack = float(np.linalg.slogdet(implied)[1]) + float((correlation * inverse).sum())
        slope = inverse @ (implied - correlation) @ inverse
        return lack - log_det - k, np.concatenate([2 * slope @ loadings, np.diag(slope) * unique])

    scale = np.sqrt(np.diag(correlation))
    start = np.concatenate([0.7 * scale, np.log(0.5 * scale**2)])
    found = minimize(
        lack_of_fit, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 2000}
    )
    loadings, unique = found.x[:k], np.exp(found.x[k:])
    if not np.isfinite(found.fun) or np.abs(found.jac).max() > 1e-5 or unique.min() < 1e-8:
        raise NotConverged("expected one factor that fits the items, got none. Report alpha only.")
    common = float(loadings.sum()) ** 2
    return common / (common + float(unique.sum()))


def retest_agreement(first: ArrayLike, second: ArrayLike) -> float:
    """Return ICC(2,1) of two measurements of the same people.

    Raises
    ------
    TooFewObservations
        Fewer than three people have both.
    NotEstimable
        Nobody differs.
    """
    a, b = complete_pairs(first, second)
    n = a.size
    if n < 3:
        raise TooFewObservations(f"expected three complete pairs or more, got {n}.")
    table = np.column_stack([a, b])
    grand = table.mean()
    people = 2 * ((table.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    times = n * ((table.mean(axis=0) - grand) ** 2).sum()
    rest = ((table - grand) ** 2).sum() - people * (n - 1) - times
    error = rest / (n - 1)
    below = people + error + 2 * (times - error) / n
    if below <= 0:
        raise NotEstimable("expected people who differ from each other, got none.")
    return float((people - error) / below)


def reliable_change(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    *,
    standard_error: float,
    cut_off: float,
    direction: Direction = Direction.LOWER,
) -> list[ChangeClass | None]:
    """Return each person's class: changed beyond chance (95 %), and past a cut-off or not.

    Parameters
    ----------
    baseline, follow_up : array_like, shape (n,)
        NaN marks a missing score; the class is then ``None``.
    standard_error : float
        Of measurement, in points, positive.
    cut_off : float
        Score that separates cases; recovered is who improved reliably and crossed it.

    Raises
    ------
    StatisticsError
        The standard error is not positive.
    """
    if not standard_error > 0:
        raise StatisticsError(f"expected a positive standard error, got {standard_error}.")
    turn = 1 if direction is Direction.LOWER else -1
    before, after = np.asarray(baseline, dtype=float), np.asarray(follow_up, dtype=float)
    index = turn * (before - after) / (2**0.5 * standard_error)
    crossed = (turn * after <= turn * cut_off) & (turn * before > turn * cut_off)
    return [_class(float(value), bool(past)) for value, past in zip(index, crossed, strict=True)]


def _class(index: float, crossed: bool) -> ChangeClass | None:
    bound = DETECTABLE / 2**0.5
    if np.isnan(index):
        return None
    if index > bound:
        return ChangeClass.RECOVERED if crossed else ChangeClass.IMPROVED
    return ChangeClass.DETERIORATED if index < -bound else ChangeClass.UNCHANGED


def _complete(items: ArrayLike) -> tuple[Array, int]:
    everything = np.asarray(items, dtype=float)
    if everything.ndim != 2 or everything.shape[1] < FEWEST_ITEMS:
        raise TooFewObservations(f"expected two items or more, got shape {everything.shape}.")
    complete = everything[~np.isnan(everything).any(axis=1)]
    if len(complete) <= everything.shape[1]:
        raise TooFewObservations(
            f"expected more complete people than the {everything.shape[1]} items, got "
            f"{len(complete)}."
        )
    if (complete.std(axis=0) == 0).any():
        raise NotEstimable("expected items that vary between people, got a constant one.")
    return complete, len(everything) - len(complete)


def _omega_if_any(correlation: Array) -> float | None:
    """Return omega, or None where two items or a misfit leave it undetermined."""
    if len(correlation) <= FEWEST_ITEMS:
        return None
    try:
        return omega(correlation)
    except NotConverged:
        return None


def _alpha(covariance: Array) -> float:
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _feldt(alpha: float, n: int, k: int, level: float) -> tuple[float, float]:
    upper, lower = (1 + level) / 2, (1 - level) / 2
    degrees = n - 1, (n - 1) * (k - 1)
    return (
        1 - (1 - alpha) * float(fdtri(*degrees, upper)),
        1 - (1 - alpha) * float(fdtri(*degrees, lower)),
    )


def _item(answers: Array, place: int) -> ItemFigures:
    others = np.delete(answers, place, axis=1)
    rest = float(np.corrcoef(answers[:, place], others.sum(axis=1))[0, 1])
    without = _alpha(np.cov(others.T)) if others.shape[1] >= FEWEST_ITEMS else None
    column = answers[:, place]
    return ItemFigures(rest, without, float(column.mean()), float(column.std(ddof=1)))
