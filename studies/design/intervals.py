"""Stretches of a file that were played: sorted, disjoint, clipped to the file.

All values are seconds from the file's start. The union is what makes a replayed or doubled report
harmless: what was heard already adds nothing.
"""

import math
from collections.abc import Iterable, Sequence

from studies.design.errors import DesignError

Interval = Sequence[float]


def union(intervals: Iterable[Interval], duration_s: float) -> list[list[float]]:
    """Return the union of the intervals within [0, `duration_s`], sorted and disjoint.

    Parameters
    ----------
    intervals : iterable of (start_s, end_s)
        In any order; they may overlap. Parts outside the file are cut off.
    duration_s : float
        Length of the file.

    Raises
    ------
    DesignError
        An interval is not a pair of finite numbers in order.
    """
    merged: list[list[float]] = []
    for start, end in sorted(_clipped(interval, duration_s) for interval in intervals):
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def total_s(intervals: Iterable[Interval]) -> float:
    """Return the summed length of disjoint intervals, in seconds."""
    return math.fsum(end - start for start, end in intervals)


def _clipped(interval: Interval, duration_s: float) -> tuple[float, float]:
    try:
        start, end = (float(bound) for bound in interval)
    except (TypeError, ValueError):
        start, end = math.nan, math.nan
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        raise DesignError(
            f"expected pairs of seconds, start before end, got {str(interval)[:80]}. "
            "Reload the player."
        )
    return min(max(start, 0.0), duration_s), min(max(end, 0.0), duration_s)
