"""Standard errors and degrees of freedom of a fitted mixed model in small samples.

Satterthwaite takes the variance of the estimated variance of a contrast into its degrees of
freedom. Kenward and Roger also enlarge the covariance of the coefficients for its small-sample
bias; here in the elements of Sigma, for which the second-derivative term of their formula is
nought. That form does not depend on how Sigma is parametrised and is the one of SAS for TYPE=UN.

References
----------
Satterthwaite FE (1946). Biometrics Bulletin 2, 110-114.
Kenward MG, Roger JH (1997). Biometrics 53, 983-997.
Fai AHT, Cornelius PL (1996). Journal of Statistical Computation and Simulation 54, 363-378.

Numbered deviations from the source
-----------------------------------
1. The covariance of the parameters of Sigma is the inverse of the observed information, not of the
   expected one. No direction: both are consistent; the observed one is what the data say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import fdtrc

from studies.stats.errors import NotEstimable
from studies.stats.estimate import LEVEL, Estimate, wald
from studies.stats.regression.mmrm import MmrmFit

Array = NDArray[np.float64]

FEW_DF = 10


class SmallSample(StrEnum):
    """How the smallness of the sample is allowed for."""

    KENWARD_ROGER = "kenward_roger"
    SATTERTHWAITE = "satterthwaite"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class JointTest:
    """An F test that several linear functions of the coefficients are all nought."""

    f: float
    df_numerator: float
    df_denominator: float
    p: float


@dataclass(frozen=True, eq=False)
class Inference:
    """What can be said about linear functions of the coefficients of a fit."""

    fit: MmrmFit
    small_sample: SmallSample = SmallSample.KENWARD_ROGER

    @cached_property
    def _theta_covariance(self) -> Array:
        """Covariance of the estimated parameters of Sigma, shape (K, K)."""
        observed = self.fit.slopes.observed
        return cho_solve(cho_factor(observed), np.eye(len(observed)))

    @cached_property
    def _phi(self) -> Array:
        """Covariance of the coefficients, enlarged where Kenward and Roger say so."""
        phi = self.fit.point.phi
        if self.small_sample is not SmallSample.KENWARD_ROGER:
            return phi
        slopes, moments, w = self.fit.slopes, self.fit.moments, self._theta_covariance
        m, p, k = moments.n_visits, moments.n_coefficients, len(moments.directions)
        kernel = (moments.directions.T @ w @ moments.directions).reshape(m, m, m, m)
        kernel = kernel.transpose(1, 2, 0, 3).reshape(m * m, m * m)
        middle = (slopes.inner.reshape(-1, m * m) @ kernel).reshape(-1, m, m)
        inner = slopes.spread.transpose(0, 2, 1) @ middle @ slopes.spread
        q = moments.design_products(inner[None])[0]
        mixed = (w @ slopes.p_a.reshape(k, p * p)).reshape(k, p, p)
        bias = q - (mixed @ phi @ slopes.p_a).sum(axis=0)
        enlarged = phi + 2 * phi @ bias @ phi
        return (enlarged + enlarged.T) / 2

    def covariance(self, rows: Array) -> Array:
        """Return the covariance of linear functions, given as rows of weights."""
        weights = np.array([self.fit.weights(row) for row in rows])
        return weights @ self._phi @ weights.T * self.fit.coordinates.y_spread**2

    def df(self, row: Array) -> float | None:
        """Return the degrees of freedom of one linear function; `None` for the normal."""
        if self.small_sample is SmallSample.NONE:
            return None
        return self._df(self.fit.weights(row))

    def _df(self, weights: Array) -> float:
        along = self.fit.point.phi @ weights
        variance = float(weights @ along)
        gradient = -(self.fit.slopes.p_a @ along) @ along
        return float(2 * variance**2 / (gradient @ self._theta_covariance @ gradient))

    def estimate(
        self, row: Array, label: str, *, sign: str, unit: str = "points", n: int | None = None,
        level: float = LEVEL, warnings: Sequence[str] = (),
    ) -> Estimate:  # fmt: skip
        """Return a linear function of the coefficients with interval and p value.

        Raises
        ------
        NotEstimable
            The data do not determine it.
        """
        variance = float(self.covariance(row[None])[0, 0])
        if not variance > 0:
            raise NotEstimable(
                f"expected a positive variance, got {variance:.3g}: the sample is too small for "
                "this model. Leave covariates or visits out of the plan."
            )
        df = self.df(row)
        if df is not None and df < FEW_DF:
            warnings = (*warnings, f"only {df:.1f} degrees of freedom: read with care")
        return wald(
            label, self.fit.value(row), variance**0.5, df=df, level=level, sign=sign, unit=unit,
            n=self.fit.n_participants if n is None else n, method="mmrm", warnings=tuple(warnings),
        )  # fmt: skip

    def joint(self, rows: Array) -> JointTest:
        """Return the F test that every row of weights gives nought.

        Raises
        ------
        NotEstimable
            The data do not determine one of them.
        """
        weights = np.array([self.fit.weights(row) for row in rows])
        values = weights @ self.fit.point.beta
        if self.small_sample is SmallSample.KENWARD_ROGER:
            scale, denominator = self._kenward_roger_scale(weights)
        else:
            scale, denominator = 1.0, self._fai_cornelius_df(weights)
        size = len(weights)
        middle = np.linalg.solve(weights @ self._phi @ weights.T, values)
        f = scale * float(values @ middle) / size
        if not (denominator > 0 and f >= 0 and math.isfinite(f)):
            raise NotEstimable(
                f"expected an F of 0 or more on positive df, got {f:.3g} on {denominator:.3g}: the "
                "sample is too small for a joint test. Leave covariates or visits out."
            )
        return JointTest(f, float(size), denominator, float(fdtrc(size, denominator, f)))

    def _kenward_roger_scale(self, weights: Array) -> tuple[float, float]:
        """Return lambda and the denominator's df of Kenward and Roger (1997), section 3."""
        phi, w, size = self.fit.point.phi, self._theta_covariance, len(weights)
        theta = weights.T @ np.linalg.solve(weights @ phi @ weights.T, weights)
        turned = theta @ phi @ self.fit.slopes.p_a @ phi
        traces = np.trace(turned, axis1=1, axis2=2)
        flat = turned.reshape(len(turned), -1)
        crossed = flat @ turned.transpose(0, 2, 1).reshape(len(turned), -1).T
        a1, a2 = float(traces @ w @ traces), float((w * crossed).sum())
        b = (a1 + 6 * a2) / (2 * size)
        g = ((size + 1) * a1 - (size + 4) * a2) / ((size + 2) * a2)
        below = 3 * size + 2 * (1 - g)
        c1, c2, c3 = g / below, (size - g) / below, (size + 2 - g) / below
        expectation = 1 / (1 - a2 / size)
        variance = 2 / size * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = variance / (2 * expectation**2)
        denominator = 4 + (size + 2) / (size * rho - 1)
        return denominator / (expectation * (denominator - 2)), denominator

    def _fai_cornelius_df(self, weights: Array) -> float:
        """Return the df at which F has the mean that its independent parts have."""
        values, axes = np.linalg.eigh(weights @ self.fit.point.phi @ weights.T)
        parts = np.array(
            [self._df(axis @ weights) for axis, _value in zip(axes.T, values, strict=True)]
        )
        if len(parts) == 1:
            return float(parts[0])
        expected = float((parts / (parts - 2))[parts > 2].sum())
        return 2 * expected / (expected - len(parts)) if expected > len(parts) else 2.0
