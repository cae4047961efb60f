"""Probabilities of a multivariate t distribution, by a rule and not by chance.

P(|T_i| <= c for all i) is the mean over the common scale s of the normal probability of the box
|Z_i| <= c s. The normal variables are taken one after the other by their Cholesky factor and each
is integrated by Gauss and Legendre, the last one in closed form. Beyond five comparisons a Korobov
lattice takes the place of the product rule. Nothing is drawn, so two runs agree to the last bit.

References
----------
Dunnett CW (1955). Journal of the American Statistical Association 50, 1096-1121.
Genz A, Bretz F (2009). Computation of Multivariate Normal and t Probabilities. Springer.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, gammaln, ndtr, ndtri

from studies.stats.errors import StatisticsError

Array = NDArray[np.float64]

N_SCALES = 48
# Nodes for each normal variable that is integrated, by the number of comparisons.
NODES = {2: 64, 3: 48, 4: 28, 5: 16}
FAR = 8.5
TAIL = 1e-13
LATTICE_POINTS = 65_521
LATTICE_GENERATOR = 17_364
AT_ONCE = 6


def outside(bound: float, correlation: Array, df: float | None) -> float:
    """Return P(some |T_i| > bound).

    Parameters
    ----------
    bound : float
        0 or more.
    correlation : ndarray, shape (k, k)
    df : float or None
        Of the common scale; ``None`` for the normal distribution.

    Raises
    ------
    StatisticsError
        The matrix is no correlation matrix of full rank.
    """
    try:
        root = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError as error:
        raise StatisticsError(
            "expected comparisons that do not follow from each other, got a singular correlation "
            "matrix. Leave out comparisons that are sums of others."
        ) from error
    scales, weights = (np.ones(1), np.ones(1)) if df is None else scales_of(float(df))
    inside = _boxes(np.abs(bound) * scales, root)
    return float(min(1.0, max(0.0, 1 - weights @ inside)))


def two_sided_critical(correlation: Array, df: float | None, level: float) -> float:
    """Return the bound that all |T_i| stay within with probability `level`."""
    return float(
        brentq(lambda bound: outside(bound, correlation, df) - (1 - level), 0.5, 60, xtol=1e-10)
    )


@cache
def _legendre(n: int) -> tuple[Array, Array]:
    """Return nodes and weights on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


@cache
def scales_of(df: float) -> tuple[Array, Array]:
    """Return nodes and weights of the common scale s = sqrt(chi2 / df)."""
    low, high = (float(np.sqrt(chdtri(df, tail) / df)) for tail in (1 - TAIL, TAIL))
    nodes, weights = _legendre(N_SCALES)
    s = low + (high - low) * nodes
    log_density = (
        np.log(2) + df / 2 * np.log(df / 2) - gammaln(df / 2) + (df - 1) * np.log(s) - df * s**2 / 2
    )
    weights = weights * (high - low) * np.exp(log_density)
    return s, weights / weights.sum()


def _boxes(bounds: Array, root: Array) -> Array:
    """Return the normal probability of the box |Z_i| <= b for each b."""
    k = len(root)
    if k == 1:
        return 2 * ndtr(bounds) - 1
    if k not in NODES:
        return np.array([_lattice_box(float(bound), root) for bound in bounds])
    parts = [bounds[at : at + AT_ONCE] for at in range(0, len(bounds), AT_ONCE)]
    return np.concatenate([_product_boxes(part, root, NODES[k]) for part in parts])


def _product_boxes(bounds: Array, root: Array, n_nodes: int) -> Array:
    k = len(root)
    nodes, node_weights = _legendre(n_nodes)
    bound, weight, drawn = bounds, np.ones_like(bounds), []
    for place in range(k):
        shift = sum((root[place, i] * z for i, z in enumerate(drawn)), np.zeros(1))
        low = np.maximum((-bound - shift) / root[place, place], -FAR)
        high = np.minimum((bound - shift) / root[place, place], FAR)
        if place == k - 1:
            weight = weight * np.maximum(ndtr(high) - ndtr(low), 0)
            break
        width = np.maximum(high - low, 0)[..., None]
        z = low[..., None] + width * nodes
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        weight = weight[..., None] * width * node_weights * density
        bound = bound[..., None]
        drawn = [value[..., None] for value in drawn] + [z]
    return weight.reshape(len(bounds), -1).sum(axis=1)


def _lattice_box(bound: float, root: Array) -> float:
    """Return the probability of one box by Genz's transformation on a Korobov lattice."""
    k = len(root)
    u = _lattice(k - 1)
    drawn = np.zeros((k - 1, u.shape[1]))
    weight = np.ones(u.shape[1])
    for place in range(k):
        shift = root[place, :place] @ drawn[:place]
        low = ndtr((-bound - shift) / root[place, place])
        width = np.maximum(ndtr((bound - shift) / root[place, place]) - low, 0)
        weight *= width
        if place < k - 1:
            drawn[place] = ndtri(np.clip(low + u[place] * width, 1e-300, 1 - 1e-16))
    return float(weight.mean())


@cache
def _lattice(n_dimensions: int) -> Array:
    """Return a lattice rule folded like a baker's dough, shape (n_dimensions, n_points)."""
    powers = [pow(LATTICE_GENERATOR, power, LATTICE_POINTS) for power in range(n_dimensions)]
    points = (np.arange(LATTICE_POINTS) + 0.5) / LATTICE_POINTS
    u = np.mod(np.outer(powers, points), 1)
    return 1 - np.abs(2 * u - 1)
