"""The flow of participants as inline SVG: boxes of words, arrows between them."""

from dataclasses import dataclass
from itertools import pairwise

from django import template
from django.utils.translation import gettext as _

from studies.selectors.flow import ArmFlow, Flow
from studies.selectors.outcomes import POOLED

register = template.Library()

COLUMN, GAP, LINE, PADDING, ARROW = 190.0, 20.0, 18.0, 12.0, 26.0


@dataclass(frozen=True, slots=True)
class Box:
    """One box with its lines of words; `y` of a line is where its letters stand."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[tuple[float, str], ...]

    @property
    def middle(self) -> float:
        """Where an arrow meets the box."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """Where the box ends."""
        return self.y + self.height


@register.inclusion_tag("studies/charts/flow.html")
def flow_chart(flow: Flow) -> dict[str, object]:
    """Draw the flow: who was invited, who is out, and a column for each arm."""
    width = max(2 * COLUMN + GAP, len(flow.arms) * (COLUMN + GAP) - GAP)
    first = _box(0, 0, COLUMN, [_("Invited: %(n)d") % {"n": flow.n_invited}])
    out = _box(COLUMN + GAP, 0, COLUMN, _out(flow))
    y = max(first.bottom, out.bottom) + ARROW
    words = _("Allocated: %(n)d") % {"n": flow.n_allocated}
    allocated = _box(0, y, COLUMN, [words])
    boxes, arrows = [first, out, allocated], [(first.middle, first.bottom, first.middle, y)]
    top = allocated.bottom + ARROW
    for place, arm in enumerate(flow.arms):
        column = _column(arm, place * (COLUMN + GAP), top)
        arrows.append((allocated.middle, allocated.bottom, column[0].middle, top))
        arrows += [
            (above.middle, above.bottom, below.middle, below.y) for above, below in pairwise(column)
        ]
        boxes += column
    height = max(box.bottom for box in boxes)
    return {"flow": flow, "boxes": boxes, "arrows": arrows, "width": width, "height": height}


def _column(arm: ArmFlow, x: float, top: float) -> list[Box]:
    boxes = [_box(x, top, COLUMN, _allocated(arm))]
    for visit in arm.visits:
        lines = [
            _("Week %(week)d") % {"week": visit.week},
            _("complete: %(n)d") % {"n": visit.n_done},
            _("missed: %(n)d") % {"n": visit.n_missed},
            _("to come: %(n)d") % {"n": visit.n_to_come},
        ]
        boxes.append(_box(x, boxes[-1].bottom + ARROW, COLUMN, lines))
    lines = [_("Analysed: %(n)d") % {"n": arm.n_analysed}]
    if arm.n_took_data_back:
        lines.append(_("took their data back: %(n)d") % {"n": arm.n_took_data_back})
    return [*boxes, _box(x, boxes[-1].bottom + ARROW, COLUMN, lines)]


def _allocated(arm: ArmFlow) -> list[str]:
    name = _("All arms together") if arm.arm == POOLED else arm.arm
    return [
        name,
        _("allocated: %(n)d") % {"n": arm.n_allocated},
        _("stopped treatment: %(n)d") % {"n": arm.n_stopped},
        _("left: %(n)d") % {"n": arm.n_left},
    ]


def _out(flow: Flow) -> list[str]:
    lines = [f"{label}: {n}" for label, n in flow.out]
    return [_("Not allocated"), *lines, _("on the way: %(n)d") % {"n": flow.n_on_the_way}]


def _box(x: float, y: float, width: float, lines: list[str]) -> Box:
    placed = tuple((y + PADDING + LINE * (place + 0.7), line) for place, line in enumerate(lines))
    return Box(x, y, width, 2 * PADDING + LINE * len(lines), placed)
