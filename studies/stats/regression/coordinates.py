"""From the coefficients of a user to those of the algorithms and back.

Columns are centred and scaled, redundant ones set aside in the order of the terms, and the rest
orthonormalised by the Cholesky factor of their sums of products. Whatever is asked of the
coefficients is turned into those coordinates; if it needs a redundant column it is refused.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.linalg import LinAlgError
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular

from studies.stats.errors import NotEstimable
from studies.stats.regression.patterns import Scaling
from studies.stats.regression.terms import NOWHERE, Design

Array = NDArray[np.float64]

# A column is redundant when less than this part of its variance is left over from those before it:
# well above the rounding of a Gram matrix, well below what any covariate would keep.
REDUNDANT = 1e-11
NOTHING = 1e-12
# A weight on a redundant column above this is no rounding.
TELLING = 1e-8


@dataclass(frozen=True, eq=False)
class Coordinates:
    """How the coefficients of the user and those of the algorithm belong together.

    Parameters
    ----------
    transform : ndarray, shape (p_all, p_all)
        Weights of a linear function of the user's coefficients become ``transform @ weights`` for
        the centred and scaled columns.
    whiten : ndarray, shape (p, p)
        And ``whiten`` takes those of the kept ones to the orthonormal columns.
    kept : tuple of int
        Coefficients that are not redundant.
    aliases : ndarray, shape (p_all - p, p)
        Each redundant scaled column as a combination of the kept ones.
    names : tuple of str
    y_centre, y_spread : float
    intercepts : ndarray of int
        Which coefficients are the visits' intercepts.
    """

    transform: Array
    whiten: Array
    kept: tuple[int, ...]
    aliases: Array
    names: tuple[str, ...]
    y_centre: float
    y_spread: float
    intercepts: NDArray[np.intp]

    @property
    def redundant(self) -> tuple[str, ...]:
        """Names of the columns that carry nothing of their own."""
        return tuple(name for place, name in enumerate(self.names) if place not in self.kept)

    @property
    def log_determinant(self) -> float:
        """Logarithm of what orthonormal columns lack of the volume of the user's."""
        kept = list(self.kept)
        return float(np.linalg.slogdet(self.whiten @ self.transform[np.ix_(kept, kept)])[1])

    def turned(self, triangle: Array) -> "Coordinates":
        """Return the coordinates in which columns Q R, R upper triangular, have become Q."""
        turn = solve_triangular(triangle, np.eye(len(triangle)), lower=False).T
        return replace(self, whiten=turn @ self.whiten)

    def weights(self, row: Array) -> Array:
        """Return a linear function of the user's coefficients in the algorithm's coordinates.

        Raises
        ------
        NotEstimable
            It needs a redundant column: two effects cannot be told apart, or a cell is empty.
        """
        scaled, kept = self.transform @ row, list(self.kept)
        others = [place for place in range(len(row)) if place not in set(kept)]
        if others:
            lacking = scaled[others] - self.aliases @ scaled[kept]
            needed = np.abs(lacking) > TELLING * max(1.0, float(np.abs(scaled).max()))
            if needed.any():
                names = ", ".join(self.names[place] for place in np.array(others)[needed])
                raise NotEstimable(
                    f"the data do not determine {names}, which this needs: an empty cell of arm "
                    "and visit, or two effects that always occur together."
                )
        return self.whiten @ scaled[kept]


def coordinates_of(design: Design, scaling: Scaling, total: Array) -> Coordinates:
    """Return the coordinates in which the columns of a data set are orthonormal.

    Parameters
    ----------
    design : Design
    scaling : Scaling
    total : ndarray, shape (p_all, p_all)
        Sums of products of the scaled columns over all observed values.
    """
    kept, aliases, root = _independent(total)
    whiten = np.linalg.inv(root)
    return Coordinates(
        _transform(design, scaling), whiten, kept, aliases, design.names, scaling.y_centre,
        scaling.y_spread, design.index[:, 0],
    )  # fmt: skip


def _transform(design: Design, scaling: Scaling) -> Array:
    """Return what centring and scaling do to a row of the design; centring moves the intercept."""
    transform = np.zeros((design.n_coefficients, design.n_coefficients))
    intercepts = design.index[:, 0]
    for visit, column in np.argwhere(design.index != NOWHERE):
        place, spread = design.index[visit, column], scaling.spread[column]
        transform[place, place] = 1 / spread
        if column:
            transform[place, intercepts[visit]] -= scaling.centre[column] / spread
    return transform


def _independent(total: Array) -> tuple[tuple[int, ...], Array, Array]:
    """Return the columns to keep, the others as combinations of them, and the kept ones' root."""
    least = REDUNDANT * np.maximum(np.diag(total), NOTHING)
    try:
        root = np.linalg.cholesky(total)
        if (np.diag(root) ** 2 > least).all():
            return tuple(range(len(total))), np.zeros((0, len(total))), root
    except LinAlgError:
        pass
    kept: list[int] = []
    root = np.zeros_like(total)
    for column in range(len(total)):
        r = len(kept)
        along = (
            solve_triangular(root[:r, :r], total[kept, column], lower=True) if r else np.zeros(0)
        )
        rest = total[column, column] - along @ along
        if rest > least[column]:
            root[r, :r], root[r, r] = along, rest**0.5
            kept.append(column)
    root = root[: len(kept), : len(kept)]
    others = [column for column in range(len(total)) if column not in set(kept)]
    aliases = cho_solve((root, True), total[np.ix_(kept, others)]).T
    return tuple(kept), aliases, root
