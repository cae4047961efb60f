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
    """The Gram matrices spread to coefficients; P patterns, m visits, p kept coefficients.

    Row (s, j, k) of `xx`, `xy`, `yy` sums x_ij x_ik', x_ij y_ik and y_ij y_ik over pattern s.
    """

    n: Array
    observed: Array
    xx: Array
    xy: Array
    yy: Array

    @property
    def n_visits(self) -> int:
        """Number of visits, m."""
        return self.observed.shape[1]

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients, p."""
        return self.xy.shape[1]

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
    m = moments.n_visits
    own = moments.xx.reshape(-1, m, m, moments.xx.shape[1])
    total = np.einsum("sjja->a", own).reshape(moments.n_coefficients, -1)
    xy = np.einsum("sjja->a", moments.xy.reshape(-1, m, m, moments.n_coefficients))
    beta = np.linalg.solve(total, xy)
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
    m = moments.n_visits
    cross = (moments.xy @ beta).reshape(-1, m, m)
    square = (moments.xx @ np.outer(beta, beta).ravel()).reshape(-1, m, m)
    products = moments.yy.reshape(-1, m, m) - cross - cross.transpose(0, 2, 1) + square
    return products * (moments.observed[:, :, None] * moments.observed[:, None, :])


def evaluate(moments: Moments, sigma: Array, *, is_reml: bool) -> Point:
    """Return the likelihood at a covariance, or raise LinAlgError where it is not one."""
    m, p = moments.n_visits, moments.n_coefficients
    root = np.linalg.cholesky(sigma)
    both = moments.observed[:, :, None] * moments.observed[:, None, :]
    # A missing visit becomes a column of the unit matrix, which adds nothing to inverse or log.
    held = sigma * both + np.eye(m) * (1 - moments.observed)[:, :, None]
    inverse_roots = np.linalg.inv(np.linalg.cholesky(held))
    weights = (inverse_roots.transpose(0, 2, 1) @ inverse_roots) * both
    log_det = -2 * np.log(np.diagonal(inverse_roots, axis1=1, axis2=2)).sum(axis=1)
    flat = weights.ravel()
    information = (flat @ moments.xx).reshape(p, p)
    phi = np.linalg.inv(information)
    beta = phi @ (flat @ moments.xy)
    products = _residual_products(moments, beta)
    n_free = moments.n @ moments.observed.sum(axis=1) - (p if is_reml else 0)
    value = moments.n @ log_det + flat @ products.ravel() + n_free * math.log(2 * math.pi)
    if is_reml:
        value += np.linalg.slogdet(information)[1]
    return Point(sigma, root, weights, (phi + phi.T) / 2, beta, products, -0.5 * float(value))


def slopes_at(moments: Moments, point: Point, *, is_reml: bool) -> Slopes:
    """Return the derivatives of the log-likelihood along C E_a C'."""
    m, p = moments.n_visits, moments.n_coefficients
    n_patterns, basis = len(moments.n), moments.directions
    spread = point.root.T @ point.weights
    inner = spread @ point.root
    across = spread.transpose(0, 2, 1)
    residual = spread @ point.products @ across
    leverage = (moments.xx @ point.phi.ravel()).reshape(n_patterns, m, m)
    fitted = spread @ leverage @ across
    if not is_reml:
        fitted = np.zeros_like(fitted)
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
    m, p = moments.n_visits, moments.n_coefficients
    rows, columns = np.tril_indices(m)
    pairs = spread[:, rows, :, None] * spread[:, columns, None, :]
    pairs = pairs.transpose(1, 0, 2, 3).reshape(len(rows), -1)
    xr = moments.xy - (moments.xx.reshape(-1, p, p) @ point.beta)
    halves = (pairs @ moments.xx).reshape(-1, p, p)
    both = np.where(rows == columns, 0.5, 1.0)[:, None, None]
    mirrored = spread[:, columns, :, None] * spread[:, rows, None, :]
    mirrored = mirrored.transpose(1, 0, 2, 3).reshape(len(rows), -1)
    q_a = both[:, :, 0] * ((pairs + mirrored) @ xr)
    return -both * (halves + halves.transpose(0, 2, 1)), q_a


def _traces(basis: Array, first: Array, second: Array) -> Array:
    """Return sum_s tr(E_a S_s E_b F_s), F `first` and S `second`, shape (K, K)."""
    m = first.shape[1]
    flat = first.reshape(-1, m * m).T @ second.reshape(-1, m * m)
    kernel = flat.reshape(m, m, m, m).transpose(1, 2, 3, 0).reshape(m * m, m * m)
    return basis @ kernel @ basis.T
