"""The data of a repeated-measures model, reduced to one Gram matrix a pattern of observed visits.

Participants with the same observed visits share everything in the likelihood but their sums of
products. One pass over the participants therefore leaves, per pattern s,

    n_s,   sum w w'  (q x q),   sum w y'  (q x m),   sum y y'  (m x m),

from which every later step starts: memory grows with the number of patterns, not of people. Parts
of a data set may be added up in any order, and a participant may be taken out again, which is what
the jackknife lives on.

Columns are centred and scaled before the products are formed. A covariate far from nought (a
date, a weight in grams) otherwise costs as many digits as its mean has standard deviations.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import StatisticsError
from studies.stats.regression.terms import Design

ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False, slots=True)
class Scaling:
    """Where each column lies and how far it spreads; the intercept has 0 and 1.

    Parameters
    ----------
    centre, spread : ndarray, shape (n_columns,)
    y_centre, y_spread : float
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    y_centre: float
    y_spread: float


@dataclass(frozen=True, eq=False, slots=True)
class PatternGram:
    """Sums of products per pattern; P patterns, q columns, m visits.

    Parameters
    ----------
    patterns : tuple of int
        Bit j is set where visit j is observed; ascending.
    n : ndarray, shape (P,)
        Participants with that pattern.
    ww : ndarray, shape (P, q, q)
    wy : ndarray, shape (P, q, m)
    yy : ndarray, shape (P, m, m)
    scaling : Scaling
    """

    patterns: tuple[int, ...]
    n: NDArray[np.float64]
    ww: NDArray[np.float64]
    wy: NDArray[np.float64]
    yy: NDArray[np.float64]
    scaling: Scaling

    @property
    def observed(self) -> NDArray[np.float64]:
        """1 where a pattern has a visit, shape (P, m)."""
        bits = np.array(self.patterns, dtype=np.int64)[:, None]
        return ((bits >> np.arange(self.yy.shape[1])) & 1).astype(np.float64)

    @property
    def n_participants(self) -> int:
        """Participants with one observed visit or more."""
        return int(self.n.sum())

    @property
    def n_observations(self) -> int:
        """Observed values."""
        return int(self.n @ self.observed.sum(axis=1))

    def merge(self, other: "PatternGram") -> "PatternGram":
        """Return the sums of two parts of a data set that were scaled alike."""
        patterns = tuple(sorted({*self.patterns, *other.patterns}))
        return replace(
            self,
            patterns=patterns,
            **{
                name: self._spread(name, patterns) + other._spread(name, patterns)
                for name in ("n", "ww", "wy", "yy")
            },
        )

    def _spread(self, name: str, patterns: tuple[int, ...]) -> NDArray[np.float64]:
        mine = getattr(self, name)
        wide = np.zeros((len(patterns), *mine.shape[1:]))
        wide[[patterns.index(pattern) for pattern in self.patterns]] = mine
        return wide

    def without(self, w: NDArray[np.float64], y: NDArray[np.float64]) -> "PatternGram":
        """Return the sums without one participant, given as columns and outcomes.

        Parameters
        ----------
        w : ndarray, shape (q,)
        y : ndarray, shape (m,)
            NaN marks a missed visit.
        """
        code, w, y = _code(y[None])[0], _scaled(w, self.scaling), _outcomes(y, self.scaling)
        if code == 0:
            return self
        place = self.patterns.index(int(code))
        n, ww, wy, yy = (part.copy() for part in (self.n, self.ww, self.wy, self.yy))
        n[place] -= 1
        ww[place] -= np.outer(w, w)
        wy[place] -= np.outer(w, y)
        yy[place] -= np.outer(y, y)
        kept = n > 0.5
        patterns = tuple(p for p, keep in zip(self.patterns, kept, strict=True) if keep)
        return PatternGram(patterns, n[kept], ww[kept], wy[kept], yy[kept], self.scaling)


def gram_of(
    design: Design,
    outcomes: NDArray[np.float64],
    *,
    scaling: Scaling | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> PatternGram:
    """Return the sums of products of a data set.

    Parameters
    ----------
    design : Design
        Its sources have one value a participant.
    outcomes : ndarray, shape (n_participants, n_visits)
        NaN marks a missed visit. A participant without any counts for nothing.
    scaling : Scaling, optional
        That of another part, where parts are to be merged.
    rows_at_once : int
        Participants read at a time; memory, not the result, depends on it.

    Raises
    ------
    StatisticsError
        The outcomes are not one column a visit, or nobody has one.
    """
    if outcomes.ndim != 2 or outcomes.shape[1] != design.n_visits:
        raise StatisticsError(
            f"expected outcomes of {design.n_visits} visits, got shape {outcomes.shape}."
        )
    parts = list(_parts(outcomes, rows_at_once))
    scaling = scaling or scaling_of(design, outcomes, parts)
    sums: dict[int, list[NDArray[np.float64]]] = {}
    for rows in parts:
        _add(sums, design.block(rows), outcomes[rows], scaling)
    if not sums:
        raise StatisticsError("expected outcomes, got none: nobody has a follow-up. Wait for some.")
    patterns = tuple(sorted(sums))
    q = len(scaling.centre)
    whole = np.array([sums[pattern][0] for pattern in patterns])
    n = np.array([sums[pattern][1] for pattern in patterns], dtype=np.float64)
    return PatternGram(
        patterns, n, whole[:, :q, :q].copy(), whole[:, :q, q:].copy(), whole[:, q:, q:].copy(),
        scaling,
    )  # fmt: skip


def _parts(outcomes: NDArray[np.float64], rows_at_once: int) -> Iterator[slice]:
    for start in range(0, len(outcomes), rows_at_once):
        yield slice(start, min(start + rows_at_once, len(outcomes)))


def scaling_of(
    design: Design, outcomes: NDArray[np.float64], parts: list[slice] | None = None
) -> Scaling:
    """Return mean and spread of every column over the participants with an outcome."""
    parts = parts or list(_parts(outcomes, ROWS_AT_ONCE))
    n, n_y, total, squares, y_total, y_squares = 0, 0, 0.0, 0.0, 0.0, 0.0
    # Sums around the first person's values: exact enough for columns far from nought.
    origin = design.block(slice(0, 1))[0] if len(outcomes) else np.zeros(0)
    y_origin = next((float(v) for v in outcomes.flat if not np.isnan(v)), 0.0)
    for rows in parts:
        y = outcomes[rows]
        seen = ~np.isnan(y)
        w = design.block(rows) - origin
        w = w[seen.any(axis=1)]
        n, total, squares = n + len(w), total + w.sum(axis=0), squares + (w * w).sum(axis=0)
        y = y[seen] - y_origin
        n_y, y_total, y_squares = n_y + y.size, y_total + y.sum(), y_squares + y @ y
    if not n:
        raise StatisticsError("expected outcomes, got none: nobody has a follow-up. Wait for some.")
    spread = _spread_of(squares / n - (total / n) ** 2)
    centre = origin + total / n
    for place in range(design.n_coefficients):
        sharing = (design.index == place).any(axis=0)
        spread[sharing] = spread[sharing].max()
    centre[0], spread[0] = 0.0, 1.0
    y_spread = _spread_of(np.array([y_squares / n_y - (y_total / n_y) ** 2]))[0]
    return Scaling(centre, spread, float(y_origin + y_total / n_y), float(y_spread))


def _spread_of(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(variance > 0, np.sqrt(np.maximum(variance, 0)), 1.0)


def _add(
    sums: dict[int, list[NDArray[np.float64]]],
    w: NDArray[np.float64],
    y: NDArray[np.float64],
    scaling: Scaling,
) -> None:
    codes = _code(y)
    z = np.concatenate([_scaled(w, scaling), _outcomes(y, scaling)], axis=1)
    for code in np.unique(codes):
        if code == 0:
            continue
        members = z[codes == code]
        product = members.T @ members
        if int(code) in sums:
            sums[int(code)][0] += product
            sums[int(code)][1] += len(members)
        else:
            sums[int(code)] = [product, len(members)]


def _code(y: NDArray[np.float64]) -> NDArray[np.int64]:
    return ~np.isnan(y) @ (1 << np.arange(y.shape[1], dtype=np.int64))


def _scaled(w: NDArray[np.float64], scaling: Scaling) -> NDArray[np.float64]:
    return (w - scaling.centre) / scaling.spread


def _outcomes(y: NDArray[np.float64], scaling: Scaling) -> NDArray[np.float64]:
    return np.nan_to_num((y - scaling.y_centre) / scaling.y_spread, nan=0.0)
