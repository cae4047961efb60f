"""Finding numbers among the records of an analysis, and writing them down."""

from collections.abc import Iterator

from studies.stats.analysis.records import Record
from studies.stats.analysis.running import Results
from studies.stats.estimate import Estimate
from studies.stats.report.figures import Point
from studies.stats.report.wording import Words

NO_POINT = Point(None)


class Numbers:
    """The records of an analysis by outcome, method, visit, and arm or contrast."""

    def __init__(self, results: Results) -> None:
        self.records = results.records
        self._at = {
            (r.place.outcome, r.place.method, r.place.visit, r.place.contrast or r.place.arm): r
            for r in results.records
        }

    def estimate(self, outcome: str, method: str, visit: str, who: str | None) -> Estimate | None:
        """Return the number at a place; `who` is an arm or a contrast."""
        record = self._at.get((outcome, method, visit, who))
        return record.estimate if record else None

    def point(self, outcome: str, method: str, visit: str, who: str | None) -> Point:
        """Return the number at a place as a figure takes it."""
        found = self.estimate(outcome, method, visit, who)
        return Point(found.value, found.ci_low, found.ci_high) if found else NO_POINT

    def of(self, outcome: str, *, starts: str = "") -> Iterator[Record]:
        """Yield the records of an outcome whose method begins so."""
        for record in self.records:
            if record.place.outcome == outcome and record.place.method.startswith(starts):
                yield record


def number(value: float | None, words: Words, digits: int = 2) -> str:
    """Return a number with fixed digits, with a real minus sign; a dash where there is none."""
    if value is None:
        return words("none")
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


def digits_for(found: Estimate) -> int:
    """Return how many digits a number of any unit needs: slopes on minutes are small."""
    scale = max(abs(limit) for limit in (found.value or 0.0, found.ci_low or 0.0))
    return 4 if 0 < scale < 0.1 else 2


def p_value(value: float | None, words: Words) -> str:
    """Return a p value with three digits, never 0."""
    if value is None:
        return words("none")
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(found: Estimate | None, words: Words, digits: int = 2, *, times: int = 1) -> str:
    """Return the limits of an interval; with `times` 100 a proportion's in percentage points."""
    if found is None or found.ci_low is None or found.ci_high is None:
        return words("none")
    low, high = (number(times * limit, words, digits) for limit in (found.ci_low, found.ci_high))
    return f"{low}, {high}"


def with_interval(found: Estimate | None, words: Words, digits: int = 2) -> str:
    """Return a number with its interval in brackets, or that it cannot be estimated."""
    if found is None:
        return words("none")
    if found.value is None:
        return words("not_estimable")
    value = number(found.value, words, digits)
    if found.ci_low is None:
        return value
    return f"{value} ({interval(found, words, digits)})"
