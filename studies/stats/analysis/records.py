"""Results as plain records: one a number, all of one shape, ready for JSON.

A record that could not be estimated has ``estimate: null``, ``status`` with the name of the
obstacle, and the reason among its warnings. Numbers are rounded to 13 significant digits: beyond
those lies the rounding of the machine, not the data.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.stats.errors import StatisticsError
from studies.stats.estimate import Estimate, not_estimable

DIGITS = 13
OK = "ok"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number belongs: outcome, method, visit, and the contrast or the arm.

    `visit` is empty where the whole study is meant.
    """

    outcome: str
    method: str
    visit: str
    contrast: str | None = None
    arm: str | None = None
    role: str = "secondary"
    family: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One number at its place."""

    place: Place
    estimate: Estimate
    status: str = OK

    def as_data(self) -> dict[str, Any]:
        """Return the record as JSON data."""
        place, found = self.place, self.estimate
        return {
            "outcome": place.outcome,
            "method": place.method,
            "visit": visit_value(place.visit),
            "contrast": place.contrast,
            "arm": place.arm,
            "quantity": found.label,
            "estimate": found.value,
            "se": found.se,
            "df": found.df,
            "ci_low": found.ci_low,
            "ci_high": found.ci_high,
            "p": found.p,
            "p_adjusted": found.p_adjusted,
            "adjust": found.adjust,
            "family": place.family,
            "n": found.n,
            "sd": found.sd,
            "unit": found.unit,
            "sign": found.sign,
            "how": found.method,
            "role": place.role,
            "status": self.status if found.value is None else OK,
            "warnings": list(found.warnings),
        }


def refused(
    place: Place, quantity: str, error: StatisticsError, *, n: int, sign: str, unit: str = "points"
) -> Record:
    """Return the record of a number that could not be estimated, with the reason."""
    estimate = not_estimable(
        quantity, n=n, method=place.method, sign=sign, unit=unit, reason=str(error)
    )
    return Record(place, estimate, status=error.code)


def visit_value(label: str) -> int | float | str | None:
    """Return a visit as the number it is written as, or as its name; None where there is none."""
    if not label:
        return None
    try:
        number = float(label)
    except ValueError:
        return label
    if not math.isfinite(number):
        return label
    return int(number) if number.is_integer() else number


def to_json(data: Mapping[str, Any]) -> str:
    """Return data as JSON text that is the same for the same data, without NaN or infinity."""
    return json.dumps(_rounded(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _rounded(value) for key, value in data.items()}
    if isinstance(data, str | bool | int) or data is None:
        return data
    if isinstance(data, Sequence):
        return [_rounded(value) for value in data]
    return float(f"{float(data):.{DIGITS - 1}e}")
