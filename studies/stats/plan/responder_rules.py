"""Responder rules as data: conditions on a person's change and score, joined by any or all.

    {"any": [{"change_at_least": 3}, {"score_at_most": 5}]}

reads: improved by 3 points or more, or reached 5 or less. The conditions are

change_at_least   improvement in points, in the direction that is better
rate_at_least     improvement in per cent of the person's baseline; never met at a baseline of 0
score_at_most     follow-up score
score_at_least    follow-up score

The graded scheme of Chinese trials sorts the individual change rate into cured, marked, effective
and ineffective; its cut-offs (75, 50, 25 %) are custom, not a standard, and may be changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studies.stats.change import Direction
from studies.stats.errors import PlanError
from studies.stats.estimate import column

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

CONDITIONS = ("change_at_least", "rate_at_least", "score_at_most", "score_at_least")
GRADES = ("cured", "marked", "effective", "ineffective")
CUT_OFFS = (75.0, 50.0, 25.0)


class Rule(Protocol):
    """What decides who responded."""

    def responded(self, before: Array, after: Array, direction: Direction) -> Flags:
        """Return who responded, pair by pair."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a pair of scores."""

    kind: str
    value: float

    def responded(self, before: Array, after: Array, direction: Direction) -> Flags:
        """Return who meets the condition, pair by pair."""
        if self.kind == "score_at_most":
            return after <= self.value
        if self.kind == "score_at_least":
            return after >= self.value
        improvement = before - after if direction is Direction.LOWER else after - before
        if self.kind == "change_at_least":
            return improvement >= self.value
        return (before != 0) & (100 * improvement >= self.value * np.abs(before))


@dataclass(frozen=True, slots=True)
class Joined:
    """Several rules, of which any one or all must hold."""

    rules: tuple[Rule, ...]
    needs_all: bool

    def responded(self, before: Array, after: Array, direction: Direction) -> Flags:
        """Return for whom they hold, pair by pair."""
        each = [rule.responded(before, after, direction) for rule in self.rules]
        return np.logical_and.reduce(each) if self.needs_all else np.logical_or.reduce(each)


def rule_of(data: Mapping[str, Any]) -> Rule:
    """Return the rule that a plan writes down.

    Raises
    ------
    PlanError
        There is not exactly one known key, or its value is not what it should be.
    """
    if not isinstance(data, Mapping) or len(data) != 1:
        raise PlanError(f"expected a responder rule with one key, got {data!r}.")
    ((kind, value),) = data.items()
    if kind in ("any", "all"):
        if not isinstance(value, list) or not value:
            raise PlanError(f"expected a list of conditions under {kind!r}, got {value!r}.")
        return Joined(tuple(rule_of(part) for part in value), needs_all=kind == "all")
    if kind not in CONDITIONS:
        raise PlanError(f"expected a condition of {', '.join(CONDITIONS)}, got {kind!r}.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PlanError(f"expected a number for {kind}, got {value!r}.")
    return Condition(kind, float(value))


def responses(baseline: ArrayLike, follow_up: ArrayLike, rule: Rule, direction: Direction) -> Array:
    """Return 1 for a responder, 0 for none, NaN where a score is missing; by participant."""
    before, after = column(baseline), column(follow_up)
    with np.errstate(invalid="ignore"):
        responded = rule.responded(before, after, direction).astype(float)
    return np.where(np.isnan(before) | np.isnan(after), np.nan, responded)


def grades(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    *,
    direction: Direction = Direction.LOWER,
    cut_offs: tuple[float, float, float] = CUT_OFFS,
) -> dict[str, int]:
    """Return how many people fall into each grade of the individual change rate, in per cent.

    A baseline of 0 has no rate and no grade.
    """
    before, after = column(baseline), column(follow_up)
    known = ~(np.isnan(before) | np.isnan(after)) & (before != 0)
    rates = 100 * (before - after)[known] / np.abs(before[known])
    if direction is Direction.HIGHER:
        rates = -rates
    edges = [np.inf, *cut_offs, -np.inf]
    return {
        grade: int(((rates < high) & (rates >= low)).sum())
        for grade, high, low in zip(GRADES, edges[:-1], edges[1:], strict=True)
    }
