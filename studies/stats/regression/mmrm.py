"""The mixed model for repeated measures with an unstructured covariance: exact, by REML or ML.

Model: y_i = X_i b + e_i, e_i normal with covariance Sigma[S_i, S_i], where S_i are the visits at
which participant i was observed. Nothing is imputed; the estimate is valid where data are missing
at random.

Algorithm
---------
1. `patterns.gram_of` reduces the data to Gram matrices per pattern of observed visits; they are
   orthonormalised by the Cholesky factor of their sum, which also finds redundant columns.
2. With W_s the inverse of Sigma[s, s] everything is a contraction of those matrices: X'V^-1X,
   X'V^-1y, the score, the expected and the observed information, and the pieces of Kenward and
   Roger.
3. Two steps of Fisher scoring, then Newton with the observed information; steps are halved until
   Sigma is positive definite and the likelihood does not fall.
4. Sigma moves in the basis C E_a C', C its Cholesky factor. The family is linear in Sigma
   whatever C, so the information keeps its meaning and Kenward-Roger its invariance; but the
   numbers stay near 1.

The log-likelihood is that of SAS, nlme and mmrm: full constants, no log|X'X| term.

References
----------
Mallinckrodt CH et al. (2008). Drug Information Journal 42, 303-319.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from studies.stats.errors import NotConverged, TooFewObservations
from studies.stats.regression.coordinates import Coordinates, coordinates_of
from studies.stats.regression.likelihood import (
    Moments,
    Point,
    Slopes,
    evaluate,
    least_squares_covariance,
    slopes_at,
)
from studies.stats.regression.patterns import PatternGram
from studies.stats.regression.terms import NOWHERE, Design

Array = NDArray[np.float64]

MAX_ITERATIONS = 100
N_FISHER_STEPS = 2
# Newton's decrement is twice the gain that is still expected in the log-likelihood; at 1e-8 one
# more step, which squares the error, ends below the rounding of the likelihood itself.
LAST_STEP = 1e-8


@dataclass(frozen=True, eq=False)
class MmrmFit:
    """A model fitted to its maximum; `small_sample.py` draws inferences from it.

    `sigma` is the covariance between visits and `log_likelihood` the maximum, in the user's units.
    """

    design: Design
    moments: Moments
    coordinates: Coordinates
    point: Point
    slopes: Slopes
    is_reml: bool
    n_iterations: int

    @property
    def sigma(self) -> Array:
        """Covariance between visits, shape (m, m)."""
        return self.point.sigma * self.coordinates.y_spread**2

    @property
    def log_likelihood(self) -> float:
        """The restricted (or full) log-likelihood at its maximum."""
        return self.point.log_likelihood + self._log_scale

    @property
    def _log_scale(self) -> float:
        """What centring and scaling took from the log-likelihood."""
        about, p = self.coordinates, self.moments.n_coefficients
        n_free = self.n_observations - (p if self.is_reml else 0)
        return -n_free * math.log(about.y_spread) + (about.log_determinant if self.is_reml else 0)

    @property
    def n_participants(self) -> int:
        """Participants with one outcome or more."""
        return int(self.moments.n.sum())

    @property
    def n_observations(self) -> int:
        """Outcomes."""
        return int(self.moments.n @ self.moments.observed.sum(axis=1))

    @property
    def aic(self) -> float:
        """Akaike's criterion, counting covariance parameters only under REML."""
        n_mean = 0 if self.is_reml else self.moments.n_coefficients
        return 2 * (len(self.moments.directions) + n_mean) - 2 * self.log_likelihood

    def weights(self, row: Array) -> Array:
        """Return a linear function of the coefficients in the algorithm's coordinates."""
        return self.coordinates.weights(row)

    @property
    def coefficients(self) -> Array:
        """The user's coefficients, shape (p_all,); those of redundant columns are nought."""
        about = self.coordinates
        kept = list(about.kept)
        beta = about.transform[kept].T @ (about.whiten.T @ self.point.beta) * about.y_spread
        beta[about.intercepts] += about.y_centre
        return beta

    def value(self, row: Array) -> float:
        """Return a linear function of the coefficients."""
        inner = float(self.weights(row) @ self.point.beta) * self.coordinates.y_spread
        return inner + float(row[self.coordinates.intercepts].sum()) * self.coordinates.y_centre


def fit_mmrm(
    gram: PatternGram,
    design: Design,
    *,
    is_reml: bool = True,
    start: Array | None = None,
) -> MmrmFit:
    """Return the model fitted by REML (or ML).

    Parameters
    ----------
    gram : PatternGram
        Of the design and the outcomes, by `patterns.gram_of`.
    design : Design
    is_reml : bool
        Whether the restricted likelihood is maximised.
    start : ndarray, shape (m, m), optional
        A covariance to start from, in the user's units; that of a similar data set saves steps.

    Raises
    ------
    TooFewObservations
        There are not more values than unknowns, or two visits have too few people in common.
    NotEstimable
        An outcome does not vary.
    NotConverged
        The likelihood has no maximum within the positive definite matrices.
    """
    _require_enough(gram, design)
    moments, coordinates = _spread(gram, design)
    _require_unknowns(moments)
    sigma = least_squares_covariance(moments) if start is None else start / coordinates.y_spread**2
    point = evaluate(moments, sigma, is_reml=is_reml)
    for iteration in range(MAX_ITERATIONS):
        slopes = slopes_at(moments, point, is_reml=is_reml)
        direction, is_newton = _direction(
            slopes, prefers_fisher=start is None and iteration < N_FISHER_STEPS
        )
        decrement = float(direction @ slopes.score)
        is_last = is_newton and decrement < LAST_STEP
        point = _step(moments, point, direction, decrement, is_reml=is_reml)
        if is_last:
            slopes = slopes_at(moments, point, is_reml=is_reml)
            _require_maximum(slopes)
            return MmrmFit(design, moments, coordinates, point, slopes, is_reml, iteration + 1)
    raise NotConverged(
        f"expected a maximum of the likelihood within {MAX_ITERATIONS} steps, got none: the data "
        "say too little about the covariance of some visits. Analyse fewer visits."
    )


def _require_enough(gram: PatternGram, design: Design) -> None:
    seen = gram.observed
    together = (seen * gram.n[:, None]).T @ seen
    worst = np.unravel_index(np.argmin(together), together.shape)
    if together[worst] < 2:
        first, second = (design.visits[place] for place in worst)
        raise TooFewObservations(
            f"expected two participants or more observed at visits {first} and {second}, got "
            f"{together[worst]:.0f}. Leave a visit out of the plan."
        )


def _require_unknowns(moments: Moments) -> None:
    n = int(moments.n @ moments.observed.sum(axis=1))
    if n <= moments.n_coefficients:
        raise TooFewObservations(
            f"expected more values than the {moments.n_coefficients} effects of the model, got "
            f"{n}. Leave covariates out of the plan, or wait for more participants."
        )


def _require_maximum(slopes: Slopes) -> None:
    try:
        np.linalg.cholesky(slopes.observed)
    except LinAlgError as error:
        raise NotConverged(
            "expected a maximum of the likelihood, got a ridge or a saddle: the data say too "
            "little about the covariance of some visits. Analyse fewer visits."
        ) from error


def _spread(gram: PatternGram, design: Design) -> tuple[Moments, Coordinates]:
    index, m, p = design.index, design.n_visits, design.n_coefficients
    q = index.shape[1]
    selection = np.zeros((m, q, p))
    visits, columns = np.nonzero(index != NOWHERE)
    selection[visits, columns, index[visits, columns]] = 1
    # Columns of visits that a pattern lacks are in `ww` too, but meet only weights of nought.
    at_visit = np.einsum("sj,scd->jcd", gram.observed, gram.ww)
    total = (selection.transpose(0, 2, 1) @ at_visit @ selection).sum(axis=0)
    coordinates = coordinates_of(design, gram.scaling, total)
    kept = list(coordinates.kept)
    lift = selection.reshape(m * q, p)[:, kept] @ coordinates.whiten.T
    return Moments(gram.n, gram.observed, gram.ww, gram.wy, gram.yy, lift), coordinates


def _direction(slopes: Slopes, *, prefers_fisher: bool) -> tuple[Array, bool]:
    """Return the step to take, and whether it is Newton's."""
    if not prefers_fisher:
        try:
            return cho_solve(cho_factor(slopes.observed), slopes.score), True
        except LinAlgError:
            pass
    try:
        return cho_solve(cho_factor(slopes.expected), slopes.score), False
    except LinAlgError:
        return slopes.score / max(1.0, float(np.abs(slopes.score).max())), False


def _step(
    moments: Moments, point: Point, direction: Array, decrement: float, *, is_reml: bool
) -> Point:
    """Return the next point: the whole step, or a half of it, and so on."""
    m = moments.n_visits
    change = (direction @ moments.directions).reshape(m, m)
    rounding = 1e-9 * (1 + abs(point.log_likelihood)) if decrement < 1e-6 else 0.0
    length = 1.0
    for _ in range(60):
        sigma = point.root @ (np.eye(m) + length * change) @ point.root.T
        try:
            found = evaluate(moments, (sigma + sigma.T) / 2, is_reml=is_reml)
        except LinAlgError:
            found = None
        if found is not None and found.log_likelihood >= point.log_likelihood - rounding:
            return found
        length /= 2
    raise NotConverged(
        "expected a step that raises the likelihood, got none: the covariance of some visits tends "
        "to a singular matrix. Analyse fewer visits, or check the data for copied values."
    )
