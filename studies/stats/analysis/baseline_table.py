"""Table 1: who was randomised, with standardised differences and no p values.

A p value of a baseline difference tests the randomisation, which is known to be random. A
standardised difference says how large an imbalance is.

References
----------
Austin PC (2009). Statistics in Medicine 28, 3083-3107.
Yang D, Dalton JE (2012). SAS Global Forum, paper 335.
Altman DG, Dore CJ (1990). Lancet 335, 149-153.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studies.stats.descriptives import Description, describe
from studies.stats.estimate import column
from studies.stats.plan.trial_table import TrialTable

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A number described in each arm; `differences` by pair of arms, `None` where undefined."""

    name: str
    arms: Mapping[str, Description]
    differences: Mapping[tuple[str, str], float | None]
    largest: float | None


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A classification counted in each arm: level -> count, and who is missing."""

    name: str
    arms: Mapping[str, Mapping[str, int]]
    n_missing: Mapping[str, int]
    differences: Mapping[tuple[str, str], float | None]
    largest: float | None


def number_row(name: str, values: ArrayLike, arms: ArrayLike, levels: tuple[str, ...]) -> NumberRow:
    """Return the description of a number by arm, with the standardised differences of all pairs."""
    values, arms = column(values), np.asarray(arms)
    described = {level: describe(values[arms == level]) for level in levels}
    differences = {
        (first, second): _standardised(described[first], described[second])
        for first, second in combinations(levels, 2)
    }
    return NumberRow(name, described, differences, _largest(differences))


def label_row(name: str, labels: ArrayLike, arms: ArrayLike, levels: tuple[str, ...]) -> LabelRow:
    """Return the counts of a classification by arm, with the standardised differences of all pairs.

    An empty label is missing.
    """
    labels, arms = np.asarray(labels, dtype=str), np.asarray(arms)
    kinds = sorted({str(label) for label in labels if label})
    counts = {
        level: {kind: int(((arms == level) & (labels == kind)).sum()) for kind in kinds}
        for level in levels
    }
    missing = {level: int(((arms == level) & (labels == "")).sum()) for level in levels}
    differences = {
        (first, second): _multinomial(list(counts[first].values()), list(counts[second].values()))
        for first, second in combinations(levels, 2)
    }
    return LabelRow(name, counts, missing, differences, _largest(differences))


def table_rows(table: TrialTable, *, without: str = "") -> list[dict[str, Any]]:
    """Return Table 1 of a trial as JSON data: strata, covariates, and each outcome's baseline.

    `without` names the column of the dose, which is no baseline: it came after randomisation.
    """
    arms = np.array(table.levels)[table.arms]
    numbers = {
        **{name: values for name, values in table.covariates.items() if name != without},
        **{f"{name} at baseline": scores[:, 0] for name, scores in table.outcomes.items()},
    }
    rows = [
        _as_data(label_row(name, labels, arms, table.levels))
        for name, labels in table.strata.items()
    ]
    rows += [
        _as_data(number_row(name, values, arms, table.levels)) for name, values in numbers.items()
    ]
    return rows


def _as_data(row: NumberRow | LabelRow) -> dict[str, Any]:
    data = asdict(row)
    data["differences"] = {" - ".join(pair): value for pair, value in row.differences.items()}
    return data


def _standardised(first: Description, second: Description) -> float | None:
    """Return the difference of means over the root of the mean variance."""
    if first.sd is None or second.sd is None:
        return None
    spread = ((first.sd**2 + second.sd**2) / 2) ** 0.5
    return (first.mean - second.mean) / spread if spread else None


def _multinomial(first: list[int], second: list[int]) -> float | None:
    """Return Yang and Dalton's Mahalanobis distance of two sets of shares."""
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    if not a.sum() or not b.sum() or len(a) < 2:
        return None
    p, q = (a / a.sum())[1:], (b / b.sum())[1:]
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    if np.linalg.matrix_rank(covariance) < len(p):
        return None
    return float((p - q) @ np.linalg.solve(covariance, p - q)) ** 0.5


def _largest(differences: Mapping[tuple[str, str], float | None]) -> float | None:
    known = [abs(value) for value in differences.values() if value is not None]
    return max(known, default=None)
