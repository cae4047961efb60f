"""The likelihood of a repeated-measures model at one covariance, and its derivatives.

Everything is a contraction of the Gram matrices of `patterns.py` with the inverses W_s of
Sigma[s, s]; P patterns, m visits, p coefficients, K = m (m + 1) / 2 elements of Sigma. With
E_s[j, k] = sum r_ij r_ik and A_s[j, k] = tr(Phi sum x_ij x_ik'), V_a = dSigma/da and
F_ab = W V_a W V_b W:

    score     -1/2 sum_s tr(V_a (n_s W - W (E + A) W))
    expected   1/2 sum n_s tr(W V_a W V_b) - tr(F_ab A) + 1/2 tr(Phi P_a Phi P_b)
    observed  -expected + tr(F_ab E) - q_a' Phi q_b

For the full likelihood (ML) A and the terms in P_a drop out.

References
----------
Harville DA (1977). Journal of the American Statistical Association 72, 320-338.
Lindstrom MJ, Bates DM (1988). Journal of the American Statistical Association 83, 1014-1022.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import NotEstimable

Array = NDArray[np.float64]

# Parts of the outcome's variance below which nothing is left to estimate a covariance from.
SMALLEST_VARIANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Moments:
    """The Gram matrices and what leads from them to coefficients: P patterns, q columns, m visits.

    Rows of the design are x_ij = B_j w_i; `lift` stacks the B_j' one visit under the other. No sum
    over patterns is ever formed for p coefficients before it has been taken over q columns, which
    is what keeps many visits cheap.

    Parameters
    ----------
    n : ndarray, shape (P,)
    observed : ndarray, shape (P, m)
    ww : ndarray, shape (P, q, q)
    wy : ndarray, shape (P, q, m)
    yy : ndarray, shape (P, m, m)
    lift : ndarray, shape (m * q, p)
    """

    n: Array
    observed: Array
    ww: Array
    wy: Array
    yy: Array
    lift: Array

    @property
    def n_visits(self) -> int:
        """Number of visits, m."""
        return self.observed.shape[1]

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients, p."""
        return self.lift.shape[1]

    @cached_property
    def both(self) -> Array:
        """1 where a pattern has both visits, shape (P, m, m)."""
        return self.observed[:, :, None] * self.observed[:, None, :]

    def design_products(self, factors: Array) -> Array:
        """Return sum_s sum_jk factors[r, s, j, k] sum_i x_ij x_ik', shape (r, p, p)."""
        r, n_patterns, m, _m = factors.shape
        q = self.ww.shape[1]
        weights = factors.transpose(0, 2, 3, 1).reshape(r * m * m, n_patterns)
        summed = (weights @ self.ww.reshape(n_patterns, q * q)).reshape(r, m, m, q, q)
        blocks = summed.transpose(0, 1, 3, 2, 4).reshape(r, m * q, m * q)
        return self.lift.T @ blocks @ self.lift

    def outcome_products(self, factors: Array, wy: Array) -> Array:
        """Return sum_s sum_jk factors[r, s, j, k] sum_i x_ij y_ik, shape (r, p).

        `wy` are the products of w with y, or with residuals in its place.
        """
        r, n_patterns, m, _m = factors.shape
        weights = factors.transpose(0, 2, 1, 3).reshape(r * m, n_patterns * m)
        summed = weights @ wy.transpose(0, 2, 1).reshape(n_patterns * m, -1)
        return summed.reshape(r, -1) @ self.lift

    def slopes_of(self, beta: Array) -> Array:
        """Return B_j' beta, the slopes in w at each visit, shape (m, q)."""
        return (self.lift @ beta).reshape(self.n_visits, -1)

    def leverages(self, phi: Array) -> Array:
        """Return tr(phi sum_i x_ij x_ik') per pattern, shape (P, m, m)."""
        m, q = self.n_visits, self.ww.shape[1]
        spread = (self.lift @ phi @ self.lift.T).reshape(m, q, m, q)
        flat = spread.transpose(1, 3, 0, 2).reshape(q * q, m * m)
        return (self.ww.reshape(-1, q * q) @ flat).reshape(-1, m, m)

    @cached_property
    def directions(self) -> Array:
        """The symmetric unit matrices E_a that Sigma may move along, shape (K, m * m)."""
        m = self.n_visits
        rows, columns = np.tril_indices(m)
        basis = np.zeros((len(rows), m, m))
        basis[np.arange(len(rows)), rows, columns] = 1
        basis[np.arange(len(rows)), columns, rows] = 1
        return basis.reshape(len(rows), m * m)


@dataclass(frozen=True, eq=False)
class Point:
    """The likelihood at one Sigma."""

    sigma: Array
    root: Array
    weights: Array
    phi: Array
    beta: Array
    products: Array
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class Slopes:
    """First and second derivatives at a point, in the basis C E_a C'; K directions.

    `p_a` is dX'V^-1X / da, shape (K, p, p); `inner` is C'W_sC and `spread` is C'W_s, shape (P, m,
    m).
    """

    score: Array
    expected: Array
    observed: Array
    p_a: Array
    inner: Array
    spread: Array


def least_squares_covariance(moments: Moments) -> Array:
    """Return the covariance of least-squares residuals, drawn towards its diagonal if need be."""
    own = np.eye(moments.n_visits) * moments.observed[None, :, :, None]
    total = moments.design_products(own)[0]
    beta = np.linalg.solve(total, moments.outcome_products(own, moments.wy)[0])
    together = np.einsum("s,sj,sk->jk", moments.n, moments.observed, moments.observed)
    sigma = _residual_products(moments, beta).sum(axis=0) / together
    variances = np.diag(sigma)
    if variances.min() <= SMALLEST_VARIANCE:
        raise NotEstimable(
            "expected outcomes that vary around their means, got a visit at which the model "
            "explains every value: it is constant, or has no more values than effects."
        )
    for _ in range(40):
        if np.linalg.eigvalsh(sigma / np.sqrt(np.outer(variances, variances)))[0] > 1e-6:
            break
        sigma = 0.8 * sigma + 0.2 * np.diag(variances)
    return sigma


def _residual_products(moments: Moments, beta: Array) -> Array:
    """Return sum r_ij r_ik per pattern, shape (P, m, m)."""
    slopes = moments.slopes_of(beta)
    cross = slopes @ moments.wy
    square = slopes @ moments.ww @ slopes.T
    return (moments.yy - cross - cross.transpose(0, 2, 1) + square) * moments.both


def evaluate(moments: Moments, sigma: Array, *, is_reml: bool) -> Point:
    """Return the likelihood at a covariance, or raise LinAlgError where it is not one."""
    m, p = moments.n_visits, moments.n_coefficients
    root = np.linalg.cholesky(sigma)
    both = moments.both
    # A missing visit becomes a column of the unit matrix, which adds nothing to inverse or log.
    held = sigma * both + np.eye(m) * (1 - moments.observed)[:, :, None]
    inverse_roots = np.linalg.inv(np.linalg.cholesky(held))
    weights = (inverse_roots.transpose(0, 2, 1) @ inverse_roots) * both
    log_det = -2 * np.log(np.diagonal(inverse_roots, axis1=1, axis2=2)).sum(axis=1)
    information = moments.design_products(weights[None])[0]
    phi = np.linalg.inv(information)
    beta = phi @ moments.outcome_products(weights[None], moments.wy)[0]
    products = _residual_products(moments, beta)
    n_free = moments.n @ moments.observed.sum(axis=1) - (p if is_reml else 0)
    value = moments.n @ log_det + float((weights * products).sum()) + n_free * math.log(2 * math.pi)
    if is_reml:
        value += np.linalg.slogdet(information)[1]
    return Point(sigma, root, weights, (phi + phi.T) / 2, beta, products, -0.5 * float(value))


def slopes_at(moments: Moments, point: Point, *, is_reml: bool) -> Slopes:
    """Return the derivatives of the log-likelihood along C E_a C'."""
    p, basis = moments.n_coefficients, moments.directions
    spread = point.root.T @ point.weights
    inner = spread @ point.root
    across = spread.transpose(0, 2, 1)
    residual = spread @ point.products @ across
    fitted = spread @ moments.leverages(point.phi) @ across * float(is_reml)
    counted = moments.n[:, None, None] * inner
    score = basis @ (-0.5 * (counted - residual - fitted).sum(axis=0)).ravel()
    p_a, q_a = _mean_slopes(moments, point, spread)
    phi_p = point.phi @ p_a
    expected = 0.5 * _traces(basis, counted, inner)
    observed = _traces(basis, residual, inner) - q_a @ point.phi @ q_a.T
    if is_reml:
        turned = phi_p.transpose(0, 2, 1).reshape(len(basis), p * p)
        expected = expected - _traces(basis, fitted, inner)
        expected += 0.5 * phi_p.reshape(len(basis), p * p) @ turned.T
    return Slopes(score, expected, observed - expected, p_a, inner, spread)


def _mean_slopes(moments: Moments, point: Point, spread: Array) -> tuple[Array, Array]:
    """Return dX'V^-1X/da, shape (K, p, p), and X'V^-1(dV/da)V^-1r, shape (K, p)."""
    rows, columns = np.tril_indices(moments.n_visits)
    first, second = spread[:, rows].transpose(1, 0, 2), spread[:, columns].transpose(1, 0, 2)
    pairs = first[..., None] * second[..., None, :]
    both = np.where(rows == columns, 0.5, 1.0)[:, None]
    halves = moments.design_products(pairs)
    residual = moments.wy - moments.ww @ moments.slopes_of(point.beta).T
    q_a = moments.outcome_products(pairs + pairs.transpose(0, 1, 3, 2), residual)
    return -both[..., None] * (halves + halves.transpose(0, 2, 1)), both * q_a


def _traces(basis: Array, first: Array, second: Array) -> Array:
    """Return sum_s tr(E_a S_s E_b F_s), F `first` and S `second`, shape (K, K)."""
    m = first.shape[1]
    flat = first.reshape(-1, m * m).T @ second.reshape(-1, m * m)
    kernel = flat.reshape(m, m, m, m).transpose(1, 2, 3, 0).reshape(m * m, m * m)
    return basis @ kernel @ basis.T
