"""Least squares for one visit: analysis of covariance, with classical or robust standard errors.

The same terms, coordinates and questions as the mixed model (`terms.py`, `coordinates.py`). HC3 is
the robust covariance that keeps its size in small samples with unequal variances.

References
----------
MacKinnon JG, White H (1985). Journal of Econometrics 29, 305-325.
Vickers AJ, Altman DG (2001). BMJ 323, 1123-1124.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, wald
from studies.stats.regression.coordinates import Coordinates, coordinates_of
from studies.stats.regression.patterns import scaling_of
from studies.stats.regression.small_sample import JointTest
from studies.stats.regression.terms import Design

Array = NDArray[np.float64]

# Residual variance, as a part of the outcome's, below which there is none.
SMALLEST_VARIANCE = 1e-24
# Leverage nearer to 1 than this is 1 and rounding; a share in a number below the other is none.
SMALLEST_ROOM, SMALLEST_PART = 1e-9, 1e-7


class Covariance(StrEnum):
    """How the covariance of the coefficients is estimated."""

    CLASSICAL = "classical"
    HC2 = "HC2"
    HC3 = "HC3"


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A model fitted by least squares.

    Parameters
    ----------
    design : Design
        Of the participants in the fit.
    coordinates : Coordinates
    beta : ndarray, shape (p,)
        In the orthonormal coordinates.
    columns : ndarray, shape (n, p)
        The orthonormal columns.
    residuals : ndarray, shape (n,)
        In units of the scaled outcome.
    """

    design: Design
    coordinates: Coordinates
    beta: Array
    columns: Array
    residuals: Array

    @property
    def n(self) -> int:
        """Participants in the fit."""
        return len(self.residuals)

    @property
    def df_residual(self) -> int:
        """Participants less coefficients."""
        return self.n - len(self.beta)

    @property
    def sigma(self) -> float:
        """Residual standard deviation, in the outcome's units."""
        return self.coordinates.y_spread * self._variance**0.5

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood of the normal model at its (ML) maximum."""
        deviation = float(self.residuals @ self.residuals) / self.n * self.coordinates.y_spread**2
        return -0.5 * self.n * (math.log(2 * math.pi * deviation) + 1)

    @property
    def _variance(self) -> float:
        return float(self.residuals @ self.residuals) / self.df_residual

    def value(self, row: Array) -> float:
        """Return a linear function of the coefficients, given as weights."""
        about = self.coordinates
        inner = float(about.weights(row) @ self.beta) * about.y_spread
        return inner + float(row[about.intercepts].sum()) * about.y_centre

    def covariance(self, rows: Array, kind: Covariance = Covariance.CLASSICAL) -> Array:
        """Return the covariance of linear functions, given as rows of weights.

        Raises
        ------
        NotEstimable
            A robust one is asked for what one participant alone determines.
        """
        weights = np.array([self.coordinates.weights(row) for row in rows])
        if kind is Covariance.CLASSICAL:
            inner = self._variance * np.eye(len(self.beta))
        else:
            inner = self._robust(weights, kind)
        return weights @ inner @ weights.T * self.coordinates.y_spread**2

    def _robust(self, weights: Array, kind: Covariance) -> Array:
        """Return the sandwich's covariance of the orthonormal coefficients.

        Who is alone with an effect is fitted exactly, whatever their score: nothing tells how far
        off it is. Functions that they have no part in are those of the fit without them.
        """
        leverage = (self.columns**2).sum(axis=1)
        alone = leverage > 1 - SMALLEST_ROOM
        parts = np.abs(self.columns[alone] @ weights.T)
        if (parts > SMALLEST_PART * np.linalg.norm(weights, axis=1)).any():
            raise NotEstimable(
                f"expected two participants or more behind every effect for {kind} standard "
                "errors, got one alone. Join small strata in the plan."
            )
        power = 1 if kind is Covariance.HC2 else 2
        weight = np.zeros_like(leverage)
        weight[~alone] = self.residuals[~alone] ** 2 / (1 - leverage[~alone]) ** power
        return (self.columns * weight[:, None]).T @ self.columns

    def df(self, _row: Array) -> float:
        """Return the degrees of freedom of any linear function."""
        return float(self.df_residual)

    def estimate(
        self, row: Array, label: str, *, sign: str, unit: str = "points", n: int | None = None,
        level: float = LEVEL, kind: Covariance = Covariance.CLASSICAL,
        warnings: Sequence[str] = (),
    ) -> Estimate:  # fmt: skip
        """Return a linear function of the coefficients with interval and p value.

        Raises
        ------
        NotEstimable
            The data do not determine it.
        """
        variance = float(self.covariance(row[None], kind)[0, 0])
        if not variance > 0:
            raise NotEstimable(
                f"expected a positive variance, got {variance:.3g}: the sample is too small for "
                "this model. Leave covariates out of the plan."
            )
        return wald(
            label, self.value(row), variance**0.5, df=self.df_residual, level=level, sign=sign,
            unit=unit, n=self.n if n is None else n, warnings=tuple(warnings),
            method="ancova" if kind is Covariance.CLASSICAL else f"ancova_{kind.lower()}",
        )  # fmt: skip

    def joint(self, rows: Array) -> JointTest:
        """Return the F test that every row of weights gives nought."""
        weights = np.array([self.coordinates.weights(row) for row in rows])
        values = weights @ self.beta
        f = float(values @ np.linalg.solve(weights @ weights.T, values))
        f /= len(rows) * self._variance
        p = float(fdtrc(len(rows), self.df_residual, f))
        return JointTest(f, float(len(rows)), float(self.df_residual), p)


def fit_linear(design: Design, outcomes: Array) -> LinearFit:
    """Return the model fitted to the participants whose outcome and sources are all known.

    Parameters
    ----------
    design : Design
        Of one visit.
    outcomes : ndarray, shape (n_participants,)
        NaN marks a missing outcome.

    Raises
    ------
    TooFewObservations
        There are not more participants than coefficients.
    NotEstimable
        The outcome does not vary around its means.
    """
    used = design.known() & ~np.isnan(outcomes)
    if used.sum() < 2:
        raise TooFewObservations(
            f"expected two participants or more with outcome and covariates, got {used.sum()}."
        )
    design, y = design.take(used), outcomes[used]
    scaling = scaling_of(design, y[:, None])
    columns = (design.block(slice(None)) - scaling.centre) / scaling.spread
    coordinates = coordinates_of(design, scaling, columns.T @ columns)
    kept = list(coordinates.kept)
    columns = columns[:, kept] @ coordinates.whiten.T
    # One more orthonormalisation takes out the rounding of the Gram matrix.
    columns, triangle = np.linalg.qr(columns)
    coordinates = coordinates.turned(triangle)
    if len(y) <= len(kept):
        raise TooFewObservations(
            f"expected more participants than the {len(kept)} effects of the model, got {len(y)}. "
            "Leave covariates out of the plan, or wait for more participants."
        )
    y = (y - scaling.y_centre) / scaling.y_spread
    beta = columns.T @ y
    residuals = y - columns @ beta
    if float(residuals @ residuals) <= SMALLEST_VARIANCE * len(y):
        raise NotEstimable(
            "expected outcomes that vary around their means, got one that the model explains "
            "wholly: it is constant, or a copy of a covariate."
        )
    return LinearFit(design, coordinates, beta, columns, residuals)
