"""Responders: who improved by a stated number of points or reached a stated score.

Wilson's score interval keeps its coverage for small n and for proportions near 0 and 1.

References
----------
Wilson EB (1927). Journal of the American Statistical Association 22, 209-212.
Newcombe RG (1998). Statistics in Medicine 17, 857-872.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from studies.stats.change import NO_PAIRS, Direction
from studies.stats.errors import StatisticsError
from studies.stats.estimate import (
    LEVEL,
    POSITIVE_IS_BETTER,
    Estimate,
    complete_pairs,
    not_estimable,
)


@dataclass(frozen=True, slots=True)
class ResponderRule:
    """Either condition makes a responder: improvement of so many points, or a score reached."""

    change_at_least: float | None = None
    score_reached: float | None = None

    def __post_init__(self) -> None:
        if self.change_at_least is None and self.score_reached is None:
            raise StatisticsError("expected a change or a score in a responder rule, got neither.")

    def responded(
        self, before: NDArray[np.float64], after: NDArray[np.float64], direction: Direction
    ) -> NDArray[np.bool_]:
        """Return who responded, pair by pair."""
        sign = 1 if direction is Direction.LOWER else -1
        responded = np.zeros(before.shape, dtype=bool)
        if self.change_at_least is not None:
            responded |= sign * (before - after) >= self.change_at_least
        if self.score_reached is not None:
            responded |= sign * after <= sign * self.score_reached
        return responded


def responder_proportion(
    baseline: ArrayLike,
    follow_up: ArrayLike,
    rule: ResponderRule,
    *,
    direction: Direction = Direction.LOWER,
    level: float = LEVEL,
) -> Estimate:
    """Return the proportion of responders among complete pairs, 0 to 1, with Wilson's interval."""
    before, after = complete_pairs(baseline, follow_up)
    return wilson(int(rule.responded(before, after, direction).sum()), before.size, level=level)


def wilson(n_successes: int, n: int, *, level: float = LEVEL) -> Estimate:
    """Return a proportion with Wilson's score interval.

    Raises
    ------
    StatisticsError
        There are more successes than trials, or fewer than none.
    """
    if not 0 <= n_successes <= n:
        raise StatisticsError(f"expected 0 to {n} successes, got {n_successes}.")
    about = {"method": "Wilson interval", "sign": POSITIVE_IS_BETTER, "unit": "proportion"}
    if n == 0:
        return not_estimable("responders", n=0, reason=NO_PAIRS, **about)
    share, z = n_successes / n, float(ndtri((1 + level) / 2))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Estimate("responders", share, low, high, int(n), **about)
