"""What a report consists of, whatever it is set in."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure as Drawing

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; `tone` is ``plain``, ``quiet`` or ``notice``."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first `n_labels` columns are text, the rest are numbers, set as texts."""

    caption: str
    header: Cells
    rows: tuple[Cells, ...]
    n_labels: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its title and description for those who do not see it, and how it is drawn.

    `draw` makes it anew each time, so that a page and a paper never share one. `table` holds the
    same numbers.
    """

    key: str
    title: str
    description: str
    draw: Callable[[], Drawing]
    table: Table | None = None
    is_wide: bool = False


Block = Heading | Paragraph | Facts | Table | Figure


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report; `stamp` stands in the foot of every page."""

    title: str
    stamp: str
    blocks: tuple[Block, ...]
