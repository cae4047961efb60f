"""How every figure looks: sizes, colours that colour-blind people tell apart, axes, no pyplot.

Colours are those of Okabe and Ito (2008); each arm has a mark and a stroke of its own besides, so
that a figure can be read in grey. Texts stay texts, so that a page can be searched and read aloud.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

mpl.use("svg")
# A name with dollar signs in it is a name, not a formula.
mpl.rcParams["text.parse_math"] = False
WIDTH_IN = 5.4
INK, QUIET, GRID = "#1b2430", "#5b6675", "#d9dee5"
LATIN = "DejaVu Sans"
STYLE = {
    "font.family": LATIN,
    "font.size": 9.5,
    "axes.unicode_minus": True,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "nocturne",
    "path.simplify": False,
}


@dataclass(frozen=True, slots=True)
class Look:
    """How one arm is drawn."""

    colour: str
    mark: str
    stroke: str


LOOKS = (
    Look("#0072b2", "o", "-"),
    Look("#d55e00", "s", "--"),
    Look("#009e73", "^", "-."),
    Look("#cc79a7", "D", ":"),
    Look("#56b4e9", "v", (0, (5, 1))),
    Look("#8a6d00", "P", (0, (3, 1, 1, 1))),
)


def look(place: int) -> Look:
    """Return the look of the arm at this place."""
    return LOOKS[place % len(LOOKS)]


def sheet(height_in: float = 3.1, *, width_in: float = WIDTH_IN) -> Figure:
    """Return an empty figure in the common style."""
    with mpl.rc_context(STYLE):
        return Figure(figsize=(width_in, height_in), dpi=72)


def axes(
    figure: Figure, *, left: float = 0.6, right: float = 0.12, bottom: float = 0.5, top: float = 0.4
) -> Axes:
    """Return axes with margins in inches: the same everywhere, whatever the texts measure."""
    width, height = figure.get_size_inches()
    with mpl.rc_context(STYLE):
        found = figure.add_axes(
            (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height)
        )
    found.spines[["top", "right"]].set_visible(False)
    found.tick_params(length=3, width=0.8)
    return found


def grid(found: Axes, axis: str = "y") -> None:
    """Draw a quiet grid behind everything."""
    found.grid(axis=axis, color=GRID, linewidth=0.7)
    found.set_axisbelow(True)


def key(found: Axes, n: int) -> None:
    """Put the key above the axes, in one row where there is room; none where nothing is drawn."""
    if not found.get_legend_handles_labels()[0]:
        return
    found.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=min(n, 4), frameon=False,
        handlelength=2.0, columnspacing=1.2, borderaxespad=0.2, fontsize=9,
    )  # fmt: skip


def side_by_side(n: int, width: float = 0.5) -> Sequence[float]:
    """Return shifts that keep marks of several arms at one place from covering each other."""
    if n == 1:
        return (0.0,)
    return [width * (place / (n - 1) - 0.5) for place in range(n)]
