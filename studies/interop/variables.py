"""A variable as every format needs it: its name, kind, label, codes, range and width.

An empty cell says why it is empty where that is known: `Absent.DECLINED` by choice,
`Absent.SKIPPED` where that is allowed. ``None`` is everything else: not asked, not derivable, a
visit that was missed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from studies.interop.errors import InteropError

# Where a variable's own values could be -99, the codes lie far below any range.
USUAL_CODES, FAR_CODES = (-99, -98), (-9_999_999, -9_999_998)
WIDEST_TEXT = 255
# English, whatever the machine speaks: the statistics files know no others.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Kind(StrEnum):
    """What the cells of a variable are."""

    TEXT = "text"
    CODE = "code"
    WHOLE = "whole number"
    NUMBER = "number"
    DATE = "date"


class Absent(StrEnum):
    """Why an item has no value."""

    DECLINED = "declined"
    SKIPPED = "skipped"


Cell = str | int | float | date | Absent | None


@dataclass(frozen=True, slots=True)
class Variable:
    """One column.

    Parameters
    ----------
    name : str
        A letter, then letters, digits and underscores.
    kind : Kind
    label : str
        What it means, in one line.
    unit : str
    choices : tuple of (int, str)
        The codes with their labels.
    low, high : float or None
        Range of a number.
    width : int
        Of a text: its greatest length in bytes of UTF-8, 1 to 255.
    may_be_absent : bool
        Whether cells may be `Absent`: items are, scores are not.
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    choices: tuple[tuple[int, str], ...] = ()
    low: float | None = None
    high: float | None = None
    width: int = 0
    may_be_absent: bool = False

    def __post_init__(self) -> None:
        if (self.kind is Kind.TEXT) != (1 <= self.width <= WIDEST_TEXT):
            raise InteropError(
                f"{self.name}: expected a width of 1 to {WIDEST_TEXT} bytes for a text and none "
                f"for a {self.kind}, got {self.width}. Shorten the text."
            )

    @property
    def is_text(self) -> bool:
        """Whether cells are strings."""
        return self.kind is Kind.TEXT

    @property
    def absent_codes(self) -> dict[Absent, int]:
        """The numbers that stand for a reason where a format has no other place for it."""
        lowest = min([code for code, _label in self.choices], default=self.low)
        is_free = lowest is not None and lowest > max(USUAL_CODES)
        codes = USUAL_CODES if is_free else FAR_CODES
        return dict(zip((Absent.DECLINED, Absent.SKIPPED), codes, strict=True))

    def text(self, cell: Cell) -> bytes:
        """Return a text cell in UTF-8.

        Raises
        ------
        InteropError
            If it is longer than the variable is wide.
        """
        content = b"" if cell is None or isinstance(cell, Absent) else str(cell).encode()
        if len(content) > self.width:
            raise InteropError(
                f"{self.name}: expected at most {self.width} bytes of text, got {len(content)}. "
                "Declare the variable wider."
            )
        return content


def cut(text: str, n_bytes: int) -> bytes:
    """Return a text in UTF-8 of at most so many bytes, no character cut in two."""
    return text.encode()[:n_bytes].decode(errors="ignore").encode()


def fitting(names: Iterable[str], longest: int) -> list[str]:
    """Return names of at most so many characters, each once; a cut one gets a number.

    Parameters
    ----------
    names : iterable of str
    longest : int
        Stata allows 32 characters.
    """
    return list(_fitting(names, longest))


def _fitting(names: Iterable[str], longest: int) -> Iterator[str]:
    taken: set[str] = set()
    for name in names:
        found, number = name[:longest], 1
        while found.lower() in taken:
            number += 1
            found = f"{name[: longest - len(str(number)) - 1]}_{number}"
        taken.add(found.lower())
        yield found
