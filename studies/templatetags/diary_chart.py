"""The diary as a chart: one bar a night, time in bed with the sleep in it."""

from collections.abc import Sequence
from datetime import timedelta

from django import template
from django.utils.translation import gettext as _

from studies.selectors.diary import DiaryRow
from studies.templatetags.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, ticks
from studies.templatetags.dates import short_day

register = template.Library()

HOUR_MIN = 60
SHOWN_NIGHTS = 56


@register.inclusion_tag("studies/charts/diary.html")
def diary_bars(rows: Sequence[DiaryRow]) -> dict[str, object]:
    """Draw hours in bed and asleep by morning; a night not written or not derivable is a gap."""
    shown = _latest(rows)
    first_on = shown[0].morning_on if shown else None
    n_days = (shown[-1].morning_on - first_on).days + 1 if shown else 1
    longest = max([row.values.get("tib_min") or 0 for row in shown], default=0) / HOUR_MIN
    marks = ticks(0, max(longest, 8.0), 5)
    scale = Scale(marks[0], marks[-1], HEIGHT - BOTTOM, TOP)
    slot = (WIDTH - LEFT - RIGHT) / n_days
    return {
        "rows": shown,
        "title": _("Time in bed and sleep by night"),
        "unit": _("hours"),
        "grid": [{"y": _unit(scale.at(mark)), "label": f"{mark:g}"} for mark in marks],
        "bars": [
            bar
            for row in shown
            for bar in _bars(row, (row.morning_on - first_on).days, slot, scale)
        ],
        "width": _unit(WIDTH),
        "height": _unit(HEIGHT),
        "left": _unit(LEFT),
        "right": _unit(WIDTH - RIGHT),
        "label_x": _unit(LEFT - 8),
        "label_y": _unit(HEIGHT - 10),
        "first": short_day(shown[0].morning_on) if shown else "",
        "last": short_day(shown[-1].morning_on) if len(shown) > 1 else "",
    }


def _latest(rows: Sequence[DiaryRow]) -> list[DiaryRow]:
    """Return the nights of the last days that have room."""
    if not rows:
        return []
    since = rows[-1].morning_on - timedelta(days=SHOWN_NIGHTS - 1)
    return [row for row in rows if row.morning_on >= since]


def _bars(row: DiaryRow, place: int, slot: float, scale: Scale) -> list[dict[str, str]]:
    bars = []
    for name, share, style in (("tib_min", 0.8, "bed"), ("tst_min", 0.5, "sleep")):
        minutes = row.values.get(name)
        if minutes is not None:
            top = scale.at(minutes / HOUR_MIN)
            bars.append(
                {
                    "x": _unit(LEFT + slot * (place + (1 - share) / 2)),
                    "y": _unit(top),
                    "width": _unit(slot * share),
                    "height": _unit(scale.at(0) - top),
                    "style": style,
                }
            )
    return bars


def _unit(value: float) -> str:
    # A point as decimal mark whatever the language: SVG knows no other.
    return f"{value:.1f}"
