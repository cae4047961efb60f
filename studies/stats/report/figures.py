"""The figures of a report, from plain numbers; see `drawing.py` for how they look.

A number that could not be estimated leaves a gap. Nothing is smoothed but the clouds of
`raincloud`, whose bandwidth is Silverman's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from studies.stats.report.drawing import (
    INK,
    QUIET,
    STYLE,
    WIDTH_IN,
    axes,
    grid,
    key,
    look,
    sheet,
    side_by_side,
)

Array = NDArray[np.float64]

FEWEST_FOR_A_CLOUD = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A number with its interval; `None` where it could not be estimated."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One arm's numbers over the visits."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a forest: what it is, its number, and whether it is the one that decides."""

    label: str
    point: Point
    place: int
    is_primary: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """One arm person by person: scores, shape (n, visits), NaN where missing."""

    name: str
    scores: Array


def over_visits(
    series: Sequence[Series], visits: Sequence[str], unit: str, *, share: bool = False
) -> Figure:
    """Return means (or shares in per cent) with their intervals, joined over the visits."""
    figure = sheet()
    found = axes(figure)
    grid(found)
    for place, (one, shift) in enumerate(zip(series, side_by_side(len(series), 0.3), strict=True)):
        known = [(x + shift, p) for x, p in enumerate(one.points) if p.value is not None]
        _whiskers(found, known, place, one.name, joined=True)
    found.set_xticks(range(len(visits)), visits)
    found.set_xlim(-0.5, len(visits) - 0.5)
    found.set_ylabel(unit)
    if share:
        found.set_ylim(0, 105)
    key(found, len(series))
    return figure


def rates(series: Sequence[Series], visits: Sequence[str], unit: str) -> Figure:
    """Return change rates by visit and arm as in Figure 13 of Li (2025), with their intervals."""
    figure = sheet()
    found = axes(figure)
    grid(found)
    width = 0.8 / max(1, len(series))
    for place, one in enumerate(series):
        shift = width * (place - (len(series) - 1) / 2)
        known = [(x + shift, p) for x, p in enumerate(one.points) if p.value is not None]
        found.bar(
            [x for x, _p in known], [p.value for _x, p in known], width * 0.88,
            color=look(place).colour, alpha=0.45, edgecolor=look(place).colour,
        )  # fmt: skip
        _whiskers(found, known, place, one.name, joined=False)
    found.axhline(0, color=INK, linewidth=0.9)
    found.set_xticks(range(len(visits)), visits)
    found.set_xlim(-0.6, len(visits) - 0.4)
    found.set_ylabel(unit)
    key(found, len(series))
    return figure


def forest(groups: Sequence[tuple[str, Sequence[Row]]], unit: str) -> Figure:
    """Return estimates with intervals line by line, grouped by contrast."""
    n_lines = sum(1 + len(rows) for _name, rows in groups)
    figure = sheet(0.75 + 0.225 * n_lines)
    found = axes(figure, left=2.05, top=0.1)
    grid(found, "x")
    found.axvline(0, color=INK, linewidth=0.9)
    labels: list[str] = []
    for name, rows in groups:
        labels.append(name)
        for row in rows:
            labels.append(row.label)
            _lying(found, row, len(labels) - 1)
    found.set_yticks(range(len(labels)), labels)
    heads = {name for name, _rows in groups}
    for text in found.get_yticklabels():
        text.set_fontweight("bold" if text.get_text() in heads else "normal")
        text.set_fontsize(8.8)
    found.tick_params(axis="y", length=0)
    found.set_ylim(len(labels) - 0.4, -0.7)
    found.set_xlabel(unit)
    return figure


def cumulative(people: Sequence[tuple[str, Array]], x_label: str, y_label: str) -> Figure:
    """Return, for every improvement, the share of each arm that reached it or more."""
    figure = sheet()
    found = axes(figure)
    grid(found)
    for place, (name, change) in enumerate(people):
        known = np.sort(change[~np.isnan(change)])
        if not known.size:
            continue
        x = np.concatenate([[known[0]], known, [known[-1]]])
        share = 100 * np.concatenate([[1.0], 1 - np.arange(known.size) / known.size, [0.0]])
        found.step(x, share, where="pre", color=look(place).colour, linestyle=look(place).stroke,
                   label=name, linewidth=1.6)  # fmt: skip
    found.set_xlabel(x_label)
    found.set_ylabel(y_label)
    found.set_ylim(0, 103)
    key(found, len(people))
    return figure


def spaghetti(people: Sequence[People], visits: Sequence[str], unit: str) -> Figure:
    """Return a line for each person, an arm a panel, with the arm's mean in bold."""
    columns = min(2, len(people))
    rows = -(-len(people) // columns)
    figure = sheet(0.55 + 1.9 * rows)
    with mpl.rc_context(STYLE):
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    height = 0.55 + 1.9 * rows
    figure.subplots_adjust(left=0.6 / WIDTH_IN, right=1 - 0.1 / WIDTH_IN, bottom=0.35 / height,
                           top=1 - 0.28 / height, hspace=0.22, wspace=0.1)  # fmt: skip
    x = np.arange(len(visits))
    for place, panel in enumerate(panels.flat):
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_visible(place < len(people))
        if place >= len(people):
            continue
        one = people[place]
        for scores in one.scores:
            seen = ~np.isnan(scores)
            if seen.sum() > 1:
                panel.plot(x[seen], scores[seen], color=look(place).colour, alpha=0.28, lw=0.7)
        seen = (~np.isnan(one.scores)).any(axis=0)
        means = [float(np.nanmean(one.scores[:, v])) for v in x[seen]]
        panel.plot(x[seen], means, color=INK, lw=2.2, marker="o", ms=3.5)
        panel.set_title(one.name, fontsize=9.5, loc="left", pad=3)
        panel.set_xticks(x, visits)
        panel.set_xlim(-0.45, len(visits) - 0.55)
        # The lowest panel of each column names the visits, also where the last row is not full.
        panel.tick_params(length=3, width=0.8, labelbottom=place + columns >= len(people))
        panel.set_ylabel(unit if place % columns == 0 else "")
    return figure


def raincloud(people: Sequence[tuple[str, Array]], x_label: str) -> Figure:
    """Return each arm's changes as dots, with their distribution, median and quartiles."""
    figure = sheet(0.7 + 0.85 * len(people))
    found = axes(figure, left=1.05, top=0.1)
    grid(found, "x")
    everything = np.concatenate([change for _name, change in people] or [np.zeros(0)])
    everything = everything[~np.isnan(everything)]
    found.axvline(0, color=INK, linewidth=0.9)
    for place, (_name, change) in enumerate(people):
        known = change[~np.isnan(change)]
        if known.size:
            _cloud(found, known, place, everything)
    found.set_yticks(range(len(people)), [name for name, _c in people])
    found.set_ylim(len(people) - 0.55, -0.62)
    found.tick_params(axis="y", length=0)
    found.set_xlabel(x_label)
    return figure


def tipping(series: Sequence[Series], deltas: Sequence[float], x_label: str, unit: str) -> Figure:
    """Return each contrast with its interval as what is missing gets worse."""
    figure = sheet()
    found = axes(figure)
    grid(found)
    found.axhline(0, color=INK, linewidth=0.9)
    step = min(np.diff(deltas)) if len(deltas) > 1 else 1.0
    for place, (one, shift) in enumerate(
        zip(series, side_by_side(len(series), 0.3 * step), strict=True)
    ):
        known = [
            (x + shift, p) for x, p in zip(deltas, one.points, strict=True) if p.value is not None
        ]
        _whiskers(found, known, place + 1, one.name, joined=True)
    found.set_xticks(list(deltas))
    found.set_xlabel(x_label)
    found.set_ylabel(unit)
    key(found, len(series))
    return figure


def _whiskers(
    found: mpl.axes.Axes, known: Sequence[tuple[float, Point]], place: int, name: str, *,
    joined: bool,
) -> None:  # fmt: skip
    style = look(place)
    x = [at for at, _point in known]
    for at, point in known:
        if point.low is not None and point.high is not None:
            found.plot([at, at], [point.low, point.high], color=style.colour, lw=1.3)
    found.plot(
        x, [point.value for _at, point in known], color=style.colour, marker=style.mark, ms=5,
        linestyle=style.stroke if joined else "none", lw=1.5, label=name,
    )  # fmt: skip


def _lying(found: mpl.axes.Axes, row: Row, y: int) -> None:
    if row.point.value is None:
        return
    style = look(row.place)
    size = 7 if row.is_primary else 4.5
    if row.point.low is not None and row.point.high is not None:
        found.plot([row.point.low, row.point.high], [y, y], color=style.colour,
                   lw=2.4 if row.is_primary else 1.2)  # fmt: skip
    found.plot([row.point.value], [y], marker=style.mark, ms=size, color=style.colour)


def _cloud(found: mpl.axes.Axes, known: Array, place: int, everything: Array) -> None:
    colour = look(place).colour
    if known.size >= FEWEST_FOR_A_CLOUD and known.std() > 0:
        spread = min(known.std(ddof=1), np.subtract(*np.quantile(known, [0.75, 0.25])) / 1.34)
        width = 0.9 * (spread or known.std(ddof=1)) * known.size**-0.2
        x = np.linspace(everything.min() - width, everything.max() + width, 120)
        density = np.exp(-0.5 * ((x[:, None] - known) / width) ** 2).sum(axis=1)
        top = place - 0.13 - 0.4 * density / density.max()
        found.fill_between(x, place - 0.13, top, color=colour, alpha=0.4, lw=0)
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    found.plot([low, high], [place, place], color=INK, lw=4, alpha=0.85, solid_capstyle="butt")
    found.plot([middle], [place], "o", color="white", ms=4.5, markeredgecolor=INK)
    # Dots of one value stand below each other, so that each person can be seen.
    order = np.sort(known)
    rank = np.arange(order.size) - np.searchsorted(order, order)
    found.plot(order, place + 0.12 + 0.27 * (rank % 8) / 8, ".", color=colour, ms=3.2, alpha=0.7)
    found.axhline(place + 0.46, color=QUIET, lw=0.3, alpha=0.4)
