"""The flow of participants (CONSORT 2025) as a table and as a diagram.

References
----------
Hopewell S et al. (2025). CONSORT 2025 statement. BMJ 389, e081123.
"""

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.stats.report.blocks import Table
from studies.stats.report.counts import ArmFlow, Flow
from studies.stats.report.drawing import INK, QUIET, STYLE, sheet
from studies.stats.report.wording import Words

LINE_IN, GAP_IN, PAD_IN = 0.185, 0.24, 0.09
ARM_WIDTH_IN = 1.75


def flow_table(flow: Flow, words: Words) -> Table:
    """Return the counts as a table: stages down, arms across."""
    rows = []
    if flow.invited is not None:
        rows.append((words("flow.invited"), flow.invited))
    rows += [(words(f"flow.{reason}"), count) for reason, count in flow.lost]
    rows.append((words("flow.randomised"), flow.randomised))
    blank = ("",) * len(flow.arms)
    above = [(label, str(count), *blank) for label, count in rows]
    stages = [_stages(arm, words) for arm in flow.arms]
    labels = list(dict.fromkeys(label for arm in stages for label, _n in arm))
    below = [
        (label, "", *(str(dict(arm).get(label, words("none"))) for arm in stages))
        for label in labels
    ]
    header = (
        words("flow.stage"),
        words("all"),
        *(words.arm(arm.name) for arm in flow.arms),
    )
    if len(flow.arms) == 1:
        # One pool is everybody: a column of its own would say so twice.
        return Table(
            words("flow.title"),
            header[:2],
            (*(row[:2] for row in above), *((row[0], row[2]) for row in below)),
        )
    return Table(words("flow.title"), header, (*above, *below))


def draw_flow(flow: Flow, words: Words) -> Figure:
    """Return the diagram."""
    columns = [[words.arm(arm.name), *map(_line, _stages(arm, words))] for arm in flow.arms]
    lost = [words("flow.not_randomised"), *(_line((words(f"flow.{k}"), n)) for k, n in flow.lost)]
    n_lines = max(len(column) for column in columns)
    width = max(4.6, ARM_WIDTH_IN * len(columns) + 0.1)
    side = _height(len(lost)) if flow.lost else GAP_IN
    arms_height = _height(n_lines)
    before = _height(1) + side + GAP_IN if flow.invited is not None else 0.0
    height = before + _height(1) + 2 * GAP_IN + arms_height + 0.1
    figure = sheet(height, width_in=width)
    with mpl.rc_context(STYLE):
        found = figure.add_axes((0, 0, 1, 1))
    found.set_xlim(0, width)
    found.set_ylim(height, 0)
    found.axis("off")
    middle, top = width / 2, 0.05
    if flow.invited is not None:
        top = _before(found, flow, words, middle, top, lost)
    randomised = _line((words("flow.randomised"), flow.randomised))
    _box(found, middle, top, 2.0, [randomised], bold_first=True)
    _after(found, [column + [""] * (n_lines - len(column)) for column in columns], width,
           top + _height(1))  # fmt: skip
    return figure


def _before(
    found: Axes, flow: Flow, words: Words, middle: float, top: float, lost: list[str]
) -> float:
    """Draw what comes before randomisation; return where that box begins."""
    _box(found, middle, top, 2.0, [_line((words("flow.invited"), flow.invited))])
    below = top + _height(1)
    if not flow.lost:
        _arrow(found, (middle, below), (middle, below + 2 * GAP_IN))
        return below + 2 * GAP_IN
    side, width = _height(len(lost)), 1.95
    after = below + side + GAP_IN
    _arrow(found, (middle, below), (middle, after))
    left = middle + 0.27
    _box(found, left + width / 2, below + GAP_IN / 2, width, lost, bold_first=True)
    turn = below + GAP_IN / 2 + side / 2
    _arrow(found, (middle, turn), (left, turn))
    return after


def _after(found: Axes, columns: list[list[str]], width: float, split: float) -> None:
    """Draw a box for each arm, below where randomisation ends."""
    step, middle = width / len(columns), width / 2
    centres = [step * (place + 0.5) for place in range(len(columns))]
    if len(columns) > 1:
        found.plot([middle, middle], [split, split + GAP_IN], color=INK, lw=0.9)
        found.plot([centres[0], centres[-1]], [split + GAP_IN] * 2, color=INK, lw=0.9)
    start = split + GAP_IN if len(columns) > 1 else split
    for centre, column in zip(centres, columns, strict=True):
        _arrow(found, (centre, start), (centre, split + 2 * GAP_IN))
        _box(found, centre, split + 2 * GAP_IN, min(step - 0.1, 2.6), column, bold_first=True)


def _stages(arm: ArmFlow, words: Words) -> list[tuple[str, int]]:
    stages = [("allocated", arm.allocated), ("started", arm.started), ("stopped", arm.stopped),
              ("left", arm.left), ("took_back", arm.took_back)]  # fmt: skip
    found = [(words(f"flow.{key}"), count) for key, count in stages if count is not None]
    found += [(words("flow.handed_in", visit=visit), count) for visit, count in arm.handed_in]
    if arm.analysed is not None:
        found.append((words("flow.analysed"), arm.analysed))
    return found


def _line(stage: tuple[str, int]) -> str:
    return f"{stage[0]}: {stage[1]}"


def _height(n_lines: int) -> float:
    return n_lines * LINE_IN + 2 * PAD_IN


def _box(
    found: Axes, centre: float, top: float, width: float, lines: list[str], *,
    bold_first: bool = False,
) -> None:  # fmt: skip
    left, right, bottom = centre - width / 2, centre + width / 2, top + _height(len(lines))
    found.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=QUIET, lw=1)
    for place, line in enumerate(lines):
        is_bold = bold_first and place == 0
        found.text(
            left + PAD_IN, top + PAD_IN + (place + 0.72) * LINE_IN, line,
            fontsize=8.2, fontweight="bold" if is_bold else "normal", va="baseline", color=INK,
        )  # fmt: skip


def _arrow(found: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    found.plot([start[0], end[0]], [start[1], end[1]], color=INK, lw=0.9)
    half, long = 0.05, 0.08
    x, y = end
    if start[0] == x:
        corners = [x - half, x, x + half], [y - long, y, y - long]
    else:
        corners = [x - long, x, x - long], [y - half, y, y + half]
    found.fill(*corners, color=INK, lw=0)
