"""Charts as inline SVG, drawn by the server: printable, readable without scripts, testable as text.

Geometry is in SVG units, the origin at the top left, y downwards. Every chart carries a title, a
description and a table with the same numbers.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from questionnaires.selectors import definition_named
from studies.selectors.listening import Night
from studies.selectors.outcomes import POOLED
from studies.services.results.analysis import Report
from studies.stats.estimate import Estimate
from studies.templatetags.dates import short_day

register = template.Library()

WIDTH, HEIGHT = 520.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 14.0, 34.0
N_TICKS = 5
# What a chart shows of an interval at most: of two people, it reaches far beyond any real value.
LIMITS_OF_RATES = (-100.0, 100.0)
# Marks of several arms stand side by side, so that their intervals do not cover each other.
NUDGE = 9.0


@dataclass(frozen=True, slots=True)
class Series:
    """Estimates of one arm, or of everybody together, aligned with the labels of the visits."""

    name: str
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis: values from `low` to `high` on units from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Return where a value lies; one beyond the axis lies at its end."""
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


def ticks(low: float, high: float, n: int = N_TICKS) -> list[float]:
    """Return about `n` round numbers that cover `low` to `high`; the first and last enclose it."""
    if not low < high:
        low, high = low - 0.5, low + 0.5
    rough = (high - low) / max(1, n - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


@register.inclusion_tag("studies/charts/trend.html")
def trend_chart(report: Report, instrument: str) -> dict[str, object]:
    """Draw the mean total of each visit with its interval."""
    series = [
        Series(
            arm_name(arm), tuple(report.cell(instrument, week, arm).mean for week in report.weeks)
        )
        for arm in report.arms
    ]
    title = _("%(instrument)s, mean total") % {"instrument": instrument.upper()}
    unit = _("points, 95 % CI")
    scores = definition_named(instrument).scores
    total = next((field for field in scores if field.name == "total"), scores[0])
    limits = (total.low, math.inf if total.high is None else total.high)
    return trend(
        series, report.weeks, title=title, unit=unit, key=f"trend-{instrument}", limits=limits
    )


@register.inclusion_tag("studies/charts/rates.html")
def rate_chart(report: Report, instrument: str) -> dict[str, object]:
    """Draw the change rate of each visit after baseline with its interval."""
    weeks = [week for week in report.weeks if week]
    series = [
        Series(
            arm_name(arm),
            tuple(report.cell(instrument, week, arm).rate_of_means for week in weeks),
        )
        for arm in report.arms
    ]
    title = _("%(instrument)s, change rate") % {"instrument": instrument.upper()}
    unit = _("% of the baseline mean, 95 % CI; positive means improvement")
    return rates(series, weeks, title=title, unit=unit, key=f"rates-{instrument}")


def trend(
    series: Sequence[Series],
    weeks: Sequence[int],
    *,
    title: str,
    unit: str,
    key: str,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> dict[str, object]:
    """Return the geometry of means with their intervals over the visits, within `limits`."""
    scale, grid = _upright(series, limits, from_zero=False)
    across = Scale(0, max(1, len(weeks) - 1), LEFT + 40, WIDTH - RIGHT - 40)
    lines = []
    for place, one in enumerate(series):
        shift = NUDGE * (place - (len(series) - 1) / 2)
        marks = [
            _mark(estimate, across.at(column) + shift, scale)
            for column, estimate in enumerate(one.estimates)
            if estimate.is_estimable
        ]
        path = " ".join(f"{mark['x']},{mark['y']}" for mark in marks)
        lines.append({"name": one.name, "number": place + 1, "marks": marks, "path": path})
    columns = [{"x": _unit(across.at(i)), "label": week_name(w)} for i, w in enumerate(weeks)]
    return _frame(key, title, unit, grid) | {"series": series, "lines": lines, "columns": columns}


def rates(
    series: Sequence[Series], weeks: Sequence[int], *, title: str, unit: str, key: str
) -> dict[str, object]:
    """Return the geometry of bars from zero, with their intervals, grouped by visit."""
    scale, grid = _upright(series, LIMITS_OF_RATES, from_zero=True)
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(weeks))
    bar = min(44.0, slot * 0.72 / max(1, len(series)))
    bars = []
    for column in range(len(weeks)):
        middle = LEFT + slot * (column + 0.5)
        for place, one in enumerate(series):
            estimate = one.estimates[column]
            if estimate.is_estimable:
                x = middle + bar * (place - len(series) / 2)
                bars.append(_bar(estimate, x, bar, scale) | {"number": place + 1})
    columns = [
        {"x": _unit(LEFT + slot * (i + 0.5)), "label": week_name(w)} for i, w in enumerate(weeks)
    ]
    zero = _unit(scale.at(0))
    return _frame(key, title, unit, grid) | {
        "series": series,
        "bars": bars,
        "columns": columns,
        "zero": zero,
    }


@register.filter
def week_name(week: int) -> str:
    """Return a visit's name."""
    return _("Week %(week)d") % {"week": week} if week else _("Baseline")


@register.filter
def arm_name(arm: str) -> str:
    """Return an arm's printed name; the pool of a blinded study is everybody together."""
    return _("All together") if arm == POOLED else arm


@register.filter
def with_interval(estimate: Estimate | str | None) -> str:
    """Return an estimate as `3.4 (1.2 to 5.6)`; a dash where there is none."""
    # At baseline there is no change: a template gives an empty text for it.
    if not estimate or not estimate.is_estimable:
        return "\N{EN DASH}"
    value = _number(estimate.value)
    if estimate.ci_low is None or estimate.ci_high is None:
        return value
    words = {"value": value, "low": _number(estimate.ci_low), "high": _number(estimate.ci_high)}
    return _("%(value)s (%(low)s to %(high)s)") % words


@register.inclusion_tag("studies/charts/nights.html")
def night_bars(nights: Sequence[Night]) -> dict[str, object]:
    """Draw minutes heard by night, one bar a night."""
    top = max([night.minutes for night in nights], default=0.0)
    marks = ticks(0, max(top, 10.0), 4)
    scale = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(nights))
    bars = [
        {
            "x": _unit(LEFT + slot * place + slot * 0.1),
            "y": _unit(scale.at(night.minutes)),
            "width": _unit(slot * 0.8),
            "height": _unit(scale.at(0) - scale.at(night.minutes)),
        }
        for place, night in enumerate(nights)
    ]
    title = _("Minutes heard by night")
    grid = [{"y": _unit(scale.at(mark)), "label": f"{mark:g}"} for mark in marks]
    return _frame("nights", title, _("minutes"), grid) | {
        "nights": nights,
        "bars": bars,
        "first": _day(nights[0]) if nights else "",
        "last": _day(nights[-1]) if len(nights) > 1 else "",
    }


def _upright(
    series: Iterable[Series], limits: tuple[float, float], *, from_zero: bool
) -> tuple[Scale, list[dict[str, str]]]:
    known = [e for one in series for e in one.estimates if e.is_estimable]
    # The limits cut intervals short, never a value itself.
    values = [estimate.value for estimate in known]
    lowest, highest = min([limits[0], *values]), max([limits[1], *values])
    ends = [min(highest, max(lowest, end)) for e in known for end in _ends(e)] or [0.0, 1.0]
    low, high = min(ends), max(ends)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    marks = ticks(low, high)
    scale = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    return scale, [{"y": _unit(scale.at(mark)), "label": f"{mark:g}"} for mark in marks]


def _ends(estimate: Estimate) -> tuple[float, float]:
    """Return the limits of the interval, or the value alone where there is none."""
    if estimate.ci_low is None or estimate.ci_high is None:
        return estimate.value, estimate.value
    return estimate.ci_low, estimate.ci_high


def _mark(estimate: Estimate, x: float, scale: Scale) -> dict[str, object]:
    low, high = _ends(estimate)
    return {
        "x": _unit(x),
        "y": _unit(scale.at(estimate.value)),
        "low": _unit(scale.at(low)),
        "high": _unit(scale.at(high)),
        # An interval that leaves the chart has no end there to be seen.
        "caps": [_unit(scale.at(end)) for end in (low, high) if scale.low <= end <= scale.high],
        "cap_left": _unit(x - 4),
        "cap_right": _unit(x + 4),
    }


def _bar(estimate: Estimate, x: float, width: float, scale: Scale) -> dict[str, object]:
    ends = sorted((scale.at(0), scale.at(estimate.value)))
    return _mark(estimate, x + width / 2, scale) | {
        "left": _unit(x + 1.5),
        "width": _unit(width - 3),
        "top": _unit(ends[0]),
        "height": _unit(ends[1] - ends[0]),
    }


def _frame(key: str, title: str, unit: str, grid: list[dict[str, str]]) -> dict[str, object]:
    return {
        "key": key,
        "title": title,
        "unit": unit,
        "grid": grid,
        "width": _unit(WIDTH),
        "height": _unit(HEIGHT),
        "left": _unit(LEFT),
        "right": _unit(WIDTH - RIGHT),
        "label_x": _unit(LEFT - 8),
        "label_y": _unit(HEIGHT - 10),
    }


def _unit(value: float) -> str:
    # A point as decimal mark whatever the language: SVG knows no other.
    return f"{value:.1f}"


def _number(value: float) -> str:
    # A true minus sign: a hyphen is easily overlooked.
    rounded = round(value, 1) or 0.0  # Never a minus zero.
    return number_format(rounded, decimal_pos=1).replace("-", "\N{MINUS SIGN}")


def _day(night: Night) -> str:
    return short_day(night.night_on)
