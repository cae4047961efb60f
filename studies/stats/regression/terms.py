"""The mean of a model, said in terms: never a formula string, never code from a user.

A *source* is a factor or a covariate with one value a participant (or one a visit). A *term* says
on which visits a source has a coefficient of its own, or that one coefficient serves all visits:

    intercept * visit + baseline * visit + sex + arm * visit

is ``[Term(INTERCEPT, OWN), Term(baseline, OWN), Term(sex, SHARED), Term(arm, OWN)]``.

Every row of the design at visit j is a selection of the participant's columns w: x_ij = B_j w_i,
where column c of w goes to coefficient `index[j, c]`, or to none where that is -1. This is what
makes the exact likelihood depend on the data through small Gram matrices only (`patterns.py`).

Factors have treatment coding against their first level.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import StatisticsError

SHARED = "shared"
OWN = "own"
NOWHERE = -1

Rows = NDArray[np.integer] | NDArray[np.bool_] | slice


@dataclass(frozen=True, eq=False, slots=True)
class Factor:
    """A classification of participants.

    Parameters
    ----------
    name : str
    codes : ndarray, shape (n_participants,)
        Positions in `levels`; -1 marks a missing value.
    levels : tuple of str
        The reference level first.
    """

    name: str
    codes: NDArray[np.integer]
    levels: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the factor's columns."""
        return tuple(f"{self.name}{level}" for level in self.levels[1:])

    def known(self) -> NDArray[np.bool_]:
        """Return for whom the factor is known."""
        return self.codes >= 0

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return the factor's columns for some participants, shape (n_rows, n_levels - 1)."""
        return (self.codes[rows, None] == np.arange(1, len(self.levels))).astype(np.float64)

    def take(self, rows: Rows) -> "Factor":
        """Return the source for some participants only."""
        return replace(self, codes=self.codes[rows])

    def at(self, level: str | None, shares: str) -> list[float]:
        """Return the columns at a level, or at the average over levels where it is ``None``."""
        if level is not None:
            return [float(level == other) for other in self.levels[1:]]
        if shares == "equal":
            return [1 / len(self.levels)] * (len(self.levels) - 1)
        counts = np.bincount(self.codes[self.known()], minlength=len(self.levels))
        return list(counts[1:] / counts.sum())


@dataclass(frozen=True, eq=False, slots=True)
class Covariate:
    """A number of each participant, shape (n_participants,); NaN marks a missing value."""

    name: str
    values: NDArray[np.float64]

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of the covariate's one column."""
        return (self.name,)

    def known(self) -> NDArray[np.bool_]:
        """Return for whom the covariate is known."""
        return ~np.isnan(self.values)

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return the column for some participants, shape (n_rows, 1)."""
        return np.asarray(self.values[rows, None], dtype=np.float64)

    def take(self, rows: Rows) -> "Covariate":
        """Return the source for some participants only."""
        return replace(self, values=self.values[rows])

    def at(self, value: float | None, _shares: str) -> list[float]:
        """Return the column at a value, or at the participants' mean where it is ``None``."""
        return [float(np.mean(self.values)) if value is None else float(value)]


@dataclass(frozen=True, eq=False, slots=True)
class VaryingCovariate:
    """A number of each participant and visit, shape (n_participants, n_visits).

    A missing value is 0 here and the visit's outcome missing with it: the caller sees to that.
    """

    name: str
    values: NDArray[np.float64]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns, one a visit, that share one coefficient."""
        return (self.name,) * self.values.shape[1]

    def known(self) -> NDArray[np.bool_]:
        """Return for whom the covariate is known."""
        return ~np.isnan(self.values).any(axis=1)

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return the columns for some participants, shape (n_rows, n_visits)."""
        return self.values[rows]

    def take(self, rows: Rows) -> "VaryingCovariate":
        """Return the source for some participants only."""
        return replace(self, values=self.values[rows])

    def at(self, value: float | None, _shares: str) -> list[float]:
        """Return the columns at a value, or at their mean where it is ``None``."""
        mean = float(self.values.mean()) if value is None else float(value)
        return [mean] * self.values.shape[1]


@dataclass(frozen=True, eq=False, slots=True)
class Intercept:
    """The column of ones."""

    n: int
    name: str = "(Intercept)"

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of the one column."""
        return (self.name,)

    def known(self) -> NDArray[np.bool_]:
        """Return that it is known for everybody."""
        return np.ones(self.n, dtype=bool)

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return ones."""
        return np.ones((len(range(*rows.indices(self.n))), 1))

    def take(self, rows: Rows) -> "Intercept":
        """Return the ones of some participants only."""
        return replace(self, n=len(np.arange(self.n)[rows]))

    def at(self, _value: float | None, _shares: str) -> list[float]:
        """Return one."""
        return [1.0]


Source = Factor | Covariate | VaryingCovariate | Intercept


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """A source and the visits at which it counts.

    `visits` is ``SHARED`` (one coefficient for all visits), ``OWN`` (one a visit), or the
    positions of the visits that have their own, the others having none.
    """

    source: Source
    visits: str | tuple[int, ...] = SHARED


@dataclass(frozen=True, eq=False)
class Design:
    """The terms of a mean over some visits.

    Parameters
    ----------
    terms : sequence of Term
        The first is the intercept, with a coefficient at each visit.
    visits : tuple of str
        Names of the visits.
    """

    terms: Sequence[Term]
    visits: tuple[str, ...]

    def __post_init__(self) -> None:
        first = self.terms[0]
        if not isinstance(first.source, Intercept) or first.visits != OWN:
            raise StatisticsError("expected the intercept of each visit as the first term.")

    @property
    def n_visits(self) -> int:
        """Number of visits."""
        return len(self.visits)

    @cached_property
    def index(self) -> NDArray[np.intp]:
        """Coefficient that column c of w goes to at visit j, shape (n_visits, n_columns)."""
        columns, at = [], 0
        for term in self.terms:
            for column in range(len(term.source.labels)):
                places, at = self._places(term, column, at)
                columns.append(places)
        return np.array(columns, dtype=np.intp).T

    def _places(self, term: Term, column: int, at: int) -> tuple[list[int], int]:
        everywhere = range(self.n_visits)
        if isinstance(term.source, VaryingCovariate):
            shared = at if column == 0 else at - 1
            return [shared if visit == column else NOWHERE for visit in everywhere], shared + 1
        if term.visits == SHARED:
            return [at] * self.n_visits, at + 1
        own = everywhere if term.visits == OWN else term.visits
        place = {visit: at + step for step, visit in enumerate(own)}
        return [place.get(visit, NOWHERE) for visit in everywhere], at + len(place)

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients."""
        return int(self.index.max()) + 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each coefficient, like ``baseline @ 8`` or ``sexM``."""
        names = [""] * self.n_coefficients
        columns = [(term.source, label) for term in self.terms for label in term.source.labels]
        for column, (source, label) in enumerate(columns):
            places = self.index[:, column]
            shared = len(set(places)) == 1 or isinstance(source, VaryingCovariate)
            for visit, place in enumerate(places):
                if place != NOWHERE:
                    names[place] = label if shared else f"{label} @ {self.visits[visit]}"
        return tuple(names)

    def places(self, name: str) -> tuple[int, ...]:
        """Return the coefficients of a source, by its name."""
        owners = [term.source.name for term in self.terms for _label in term.source.labels]
        columns = [place for place, owner in enumerate(owners) if owner == name]
        found = set(self.index[:, columns].ravel().tolist()) - {NOWHERE}
        return tuple(sorted(found))

    def known(self) -> NDArray[np.bool_]:
        """Return for whom every source is known."""
        return np.logical_and.reduce([term.source.known() for term in self.terms])

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return the columns w of some participants, shape (n_rows, n_columns)."""
        return np.concatenate([term.source.block(rows) for term in self.terms], axis=1)

    def take(self, rows: Rows) -> "Design":
        """Return the design of some participants only."""
        terms = [replace(term, source=term.source.take(rows)) for term in self.terms]
        return Design(terms, self.visits)

    def row(
        self, visit: int, at: Mapping[str, str | float] | None = None, *, shares: str = "equal"
    ) -> NDArray[np.float64]:
        """Return the coefficients' weights in a mean at a visit.

        Parameters
        ----------
        visit : int
            Position of the visit.
        at : mapping
            Level of a factor or value of a covariate, by name. Left out, covariates stand at their
            mean over participants and factors at the average of their levels.
        shares : {"equal", "observed"}
            Whether those levels weigh the same or as often as they occur.
        """
        at = at or {}
        values = [
            value
            for term in self.terms
            for value in term.source.at(at.get(term.source.name), shares)
        ]
        weights = np.zeros(self.n_coefficients)
        for column, value in enumerate(values):
            place = self.index[visit, column]
            if place != NOWHERE:
                weights[place] += value
        return weights
