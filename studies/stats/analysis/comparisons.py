"""Which arms are compared, from a fitted model, and how their p values are adjusted.

Two families at each visit: every arm with the reference, and the other arms with each other. Each
family is adjusted by itself. Among the others Dunnett has no reference, so Holm stands in there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from studies.stats.adjustment import adjusted
from studies.stats.analysis.records import Place, Record, refused
from studies.stats.errors import StatisticsError
from studies.stats.estimate import Estimate
from studies.stats.family import Adjustment
from studies.stats.regression.terms import Design

Array = NDArray[np.float64]

REFERENCE = "versus_reference"
OTHERS = "among_others"


class Answering(Protocol):
    """A fitted model that answers questions about its coefficients."""

    def estimate(
        self, row: Array, label: str, *, sign: str, unit: str = ..., n: int | None = ...,
        level: float = ..., warnings: Sequence[str] = ...,
    ) -> Estimate:  # fmt: skip
        """Return a linear function of the coefficients."""

    def covariance(self, rows: Array) -> Array:
        """Return the covariance of linear functions of the coefficients."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm minus another."""

    first: str
    second: str
    family: str

    @property
    def label(self) -> str:
        """Name of the contrast, like ``LSTM_ACM - CBT``."""
        return f"{self.first} - {self.second}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model at one visit.

    Parameters
    ----------
    place : Place
        Without contrast or arm.
    design : Design
    visit : int
        Position of the visit in the design.
    sign : str
    level : float
    adjust : Adjustment
    n : int
    notes : dict
        Arm -> warning about its cell.
    """

    place: Place
    design: Design
    visit: int
    sign: str
    level: float
    adjust: Adjustment
    n: int
    notes: dict[str, str]


def comparisons_of(levels: tuple[str, ...]) -> list[Comparison]:
    """Return the comparisons of arms, the first being the reference."""
    reference, *others = levels
    return [Comparison(arm, reference, REFERENCE) for arm in others] + [
        Comparison(first, second, OTHERS) for first, second in combinations(others, 2)
    ]


def contrast_records(model: Answering, question: Question, levels: tuple[str, ...]) -> list[Record]:
    """Return the contrasts of all arms at one visit, adjusted by family."""
    everything = comparisons_of(levels)
    return [
        record
        for family in (REFERENCE, OTHERS)
        for record in _family(model, question, [c for c in everything if c.family == family])
    ]


def mean_records(model: Answering, question: Question, levels: tuple[str, ...]) -> list[Record]:
    """Return the adjusted mean of each arm at one visit."""
    records = []
    for arm in levels:
        place = replace(question.place, arm=arm)
        try:
            estimate = model.estimate(
                question.design.row(question.visit, {"arm": arm}), "adjusted_mean", n=question.n,
                sign="the score itself", level=question.level, warnings=_notes(question, arm),
            )  # fmt: skip
            # A p value of the hypothesis that a mean score is nought would answer no question.
            records.append(Record(place, replace(estimate, p=None)))
        except StatisticsError as error:
            records.append(
                refused(place, "adjusted_mean", error, n=question.n, sign="the score itself")
            )
    return records


def contrast_row(question: Question, comparison: Comparison) -> Array:
    """Return the weights of a contrast at the question's visit."""
    design, visit = question.design, question.visit
    return design.row(visit, {"arm": comparison.first}) - design.row(
        visit, {"arm": comparison.second}
    )


def refused_contrasts(
    place: Place, error: StatisticsError, levels: tuple[str, ...], *, n: int, sign: str
) -> list[Record]:
    """Return every contrast of a visit as not estimable, for one reason."""
    return [
        refused(_of(place, comparison), "contrast", error, n=n, sign=sign)
        for comparison in comparisons_of(levels)
    ]


def _of(place: Place, comparison: Comparison) -> Place:
    """Return the place of a comparison; only those with the reference can be the primary ones."""
    return replace(
        place, contrast=comparison.label, family=comparison.family,
        role=place.role if comparison.family == REFERENCE else "secondary",
    )  # fmt: skip


def _family(model: Answering, question: Question, members: list[Comparison]) -> list[Record]:
    found: list[Record] = []
    rows: list[Array] = []
    for comparison in members:
        place = _of(question.place, comparison)
        row = contrast_row(question, comparison)
        notes = (*_notes(question, comparison.first), *_notes(question, comparison.second))
        try:
            estimate = model.estimate(
                row, "contrast", n=question.n, sign=question.sign, level=question.level,
                warnings=notes,
            )  # fmt: skip
        except StatisticsError as error:
            found.append(refused(place, "contrast", error, n=question.n, sign=question.sign))
            continue
        rows.append(row)
        found.append(Record(place, estimate))
    if not rows:
        return found
    estimates = _adjusted([record.estimate for record in found], model, rows, question, members)
    return [
        replace(record, estimate=estimate)
        for record, estimate in zip(found, estimates, strict=True)
    ]


def _adjusted(
    estimates: list[Estimate], model: Answering, rows: list[Array], question: Question,
    members: list[Comparison],
) -> list[Estimate]:  # fmt: skip
    method = question.adjust
    needs_covariance = method in (Adjustment.DUNNETT, Adjustment.DUNNETT_STEP_DOWN)
    if needs_covariance and members[0].family == OTHERS:
        method, needs_covariance = Adjustment.HOLM, False
    try:
        covariance = model.covariance(np.array(rows)) if needs_covariance else None
        return adjusted(estimates, method, covariance)
    except StatisticsError as error:
        note = f"not adjusted: {error}"
        return [replace(found, warnings=(*found.warnings, note)) for found in estimates]


def _notes(question: Question, arm: str) -> tuple[str, ...]:
    return (question.notes[arm],) if arm in question.notes else ()
