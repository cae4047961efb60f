"""Logistic regression of a response, and risks standardised over the participants.

The odds ratio of a logistic model is no risk and does not average over people. Standardisation
(g-computation) sets everybody to each arm in turn, averages the predicted risks, and contrasts
those averages: a marginal risk difference, adjusted for prognosis.

References
----------
McCullagh P, Nelder JA (1989). Generalized Linear Models, section 4.
FDA (2023). Adjusting for Covariates in Randomized Clinical Trials, section III.B.
Ge M et al. (2011). Drug Information Journal 45, 481-493 (delta method).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from studies.stats.errors import NotConverged, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, wald
from studies.stats.regression.terms import Design

Array = NDArray[np.float64]

MAX_ITERATIONS = 50
CONVERGED = 1e-12
# Fitted log-odds beyond this mean that a group of people responds wholly or not at all.
SEPARATED = 25.0


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A logistic model at its maximum.

    Parameters
    ----------
    design : Design
        Of the participants in the fit.
    beta : ndarray, shape (p,)
    covariance : ndarray, shape (p, p)
    deviance : float
    """

    design: Design
    beta: Array
    covariance: Array
    deviance: float

    @property
    def n(self) -> int:
        """Participants in the fit."""
        return len(self.design.block(slice(None)))

    def risks(self, factor: str, level: str) -> tuple[float, Array]:
        """Return the mean risk with everybody at a level, and its slope in the coefficients."""
        w = self.design.block(slice(None)).copy()
        at = 0
        for term in self.design.terms:
            width = len(term.source.labels)
            if term.source.name == factor:
                w[:, at : at + width] = term.source.at(level, "equal")
            at += width
        p = expit(w @ self.beta)
        return float(p.mean()), (w * (p * (1 - p))[:, None]).mean(axis=0)

    def risk_difference(
        self, factor: str, first: str, second: str, *, level: float = LEVEL
    ) -> Estimate:
        """Return the standardised difference of risks with its delta-method interval."""
        (risk_1, slope_1), (risk_2, slope_2) = self.risks(factor, first), self.risks(factor, second)
        slope = slope_1 - slope_2
        return wald(
            "standardised_risk_difference", risk_1 - risk_2,
            float(slope @ self.covariance @ slope) ** 0.5, n=self.n, level=level,
            method="logistic model, standardised", unit="proportion",
            sign="positive means more responders in the first arm",
        )  # fmt: skip


def fit_logistic(design: Design, responded: Array) -> LogisticFit:
    """Return the model fitted to the participants whose response and sources are all known.

    Parameters
    ----------
    design : Design
        Of one visit.
    responded : ndarray, shape (n_participants,)
        1, 0 or NaN.

    Raises
    ------
    TooFewObservations
        There are not more participants than coefficients.
    NotConverged
        A group of people responds wholly or not at all: the odds have no finite maximum.
    """
    used = design.known() & ~np.isnan(responded)
    design, y = design.take(used), responded[used]
    w = design.block(slice(None))
    if len(y) <= w.shape[1]:
        raise TooFewObservations(
            f"expected more participants than the {w.shape[1]} effects of the model, got {len(y)}."
        )
    beta = np.zeros(w.shape[1])
    for _ in range(MAX_ITERATIONS):
        p = expit(w @ beta)
        information = (w * (p * (1 - p))[:, None]).T @ w
        if np.linalg.cond(information) > 1 / CONVERGED or np.abs(w @ beta).max() > SEPARATED:
            break
        step = np.linalg.solve(information, w.T @ (y - p))
        beta = beta + step
        if float(step @ information @ step) < CONVERGED:
            return _finished(design, w, y, beta)
    raise NotConverged(
        "expected a finite maximum of the logistic likelihood, got none: in some group everybody "
        "or nobody responded, or two effects always occur together. Leave covariates out."
    )


def _finished(design: Design, w: Array, y: Array, beta: Array) -> LogisticFit:
    p = expit(w @ beta)
    information = (w * (p * (1 - p))[:, None]).T @ w
    deviance = -2 * float((xlogy(y, p) + xlogy(1 - y, 1 - p)).sum())
    return LogisticFit(design, beta, np.linalg.inv(information), deviance)
