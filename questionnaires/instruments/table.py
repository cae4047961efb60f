"""Answers in tables: which column is which item, what a cell says, what a row scores.

A table comes from a spreadsheet or another program, so its cells are read with care: what has one
meaning is read, what was written in another form is flagged, everything else refuses its row with
the reason. A blank cell is a missing answer; so are the words that R, SPSS, pandas and spreadsheets
write for one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from questionnaires.instruments import score_answers
from questionnaires.instruments.clock import MINUTES_IN_DAY, time_of_day
from questionnaires.instruments.columns import COLUMN_RULES, columns_of, score_columns
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import AnswerRefused, TableRefused
from questionnaires.instruments.instrument import Instrument, Item, Kind, Value
from questionnaires.instruments.psqi import COMPONENTS, PSQI
from questionnaires.instruments.reading import is_range, read_answer

BLANKS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "."})
DIGITS_OF_A_CLOCK = re.compile(r"([01]?\d|2[0-3])([0-5]\d)")
DATED_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T](\d{1,2}:\d{2}(?::00)?)")
# Spreadsheets keep a time of day as a fraction of the day; fewer digits do not tell the minute.
DAY_FRACTION = re.compile(r"0[.,](\d{4,17})")
CELLS_REMEMBERED = 50_000
NUL = "\x00"
# Enough rows that somebody has used the lowest code, if there is one.
ROWS_THAT_SHOW_A_CODING = 20
CODED_FROM_1 = "coding_from_1_suspected"
SUMMARY_COLUMNS = ("flags", "rule_id")

# What the scores of a table are called where that is not simply every score of the instrument.
TABLE_SCORES: Mapping[str, tuple[str, ...]] = {
    PSQI.key: (*(f"component_{name}" for name in COMPONENTS), "total"),
    CPSS.key: ("tension", "control", "total"),
}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not scored: the line that it begins on, and everything wrong with it."""

    line: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as read: its cells, the values of its items, and what to flag about its cells."""

    line: int
    cells: Sequence[str]
    answers: Mapping[str, Value]
    flags: tuple[str, ...]


@dataclass
class Layout:
    """Which column of a table is which item of an instrument.

    Raises
    ------
    TableRefused
        If an item has no column or two, or the table already has a column that is to be added.
    """

    instrument: Instrument
    header: Sequence[str]
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        names = [_plain(name) for name in self.header]
        self.places = {
            item.key: names.index(item.key) for item in self.instrument.items if item.key in names
        }
        problems = [
            *self._damaged(),
            *self._doubled(names),
            *self._absent(),
            *self._taken(names),
        ]
        if problems:
            raise TableRefused(" ".join(problems))

    @property
    def score_names(self) -> tuple[str, ...]:
        """The scores that are added to each row."""
        every = tuple(score.name for score in self.instrument.scores)
        return TABLE_SCORES.get(self.instrument.key, every)

    @property
    def added(self) -> tuple[str, ...]:
        """The columns that are added to each row."""
        return (*self.score_names, *SUMMARY_COLUMNS)

    @property
    def carried(self) -> list[str]:
        """The columns that are no items: repeated and not read."""
        items = set(self.places.values())
        return [name for place, name in enumerate(self.header) if place not in items]

    def _damaged(self) -> list[str]:
        damaged = [repr(name) for name in self.header if NUL in name]
        if not damaged:
            return []
        return [f"expected names of columns, got NUL bytes in {', '.join(damaged)}. Rename them."]

    def _doubled(self, names: list[str]) -> list[str]:
        doubled = sorted(name for name, n in Counter(names).items() if name and n > 1)
        if not doubled:
            return []
        return [f"expected each column once, got several {', '.join(doubled)}. Rename or drop one."]

    def _absent(self) -> list[str]:
        wanted = [item.key for item in self.instrument.items if item.required]
        absent = [key for key in wanted if key not in self.places]
        if not absent:
            return []
        return [
            f"expected a column for every item of {self.instrument.key}, got none for "
            f"{', '.join(absent)} (there are: {', '.join(self.header) or 'no columns'}). "
            "Name the columns by the item keys in docs/instruments.md; "
            "a question that nobody was asked is a column of blanks."
        ]

    def _taken(self, names: list[str]) -> list[str]:
        taken = [name for name in self.added if name in names]
        if not taken:
            return []
        return [f"expected no column {', '.join(taken)}, it is to be added. Rename or drop it."]


class CellReader:
    """Reads the cells of one layout; what was read once is remembered."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._columns = [(layout.instrument.item(key), at) for key, at in layout.places.items()]
        read = set(layout.places.values())
        self._unread = [place for place in range(len(layout.header)) if place not in read]
        self._known: dict[tuple[str, str], tuple[Value, tuple[str, ...]] | AnswerRefused] = {}

    def row(self, line: int, cells: Sequence[str]) -> ReadRow | RefusedRow:
        """Return what a row says, or why it is refused."""
        n_columns = len(self._layout.header)
        if len(cells) != n_columns:
            advice = "A decimal comma or a comma in a text needs quotes."
            return RefusedRow(line, (f"expected {n_columns} cells, got {len(cells)}. {advice}",))
        answers: dict[str, Value] = {}
        flags: list[str] = []
        reasons = []
        for item, place in self._columns:
            found = self._cell(item, cells[place])
            if isinstance(found, AnswerRefused):
                reasons.append(str(found))
                continue
            answers[item.key] = found[0]
            flags += found[1]
        reasons += self._damaged(cells)
        if reasons:
            return RefusedRow(line, tuple(reasons))
        return ReadRow(line, cells, answers, tuple(flags))

    def _damaged(self, cells: Sequence[str]) -> list[str]:
        """Return what is wrong with cells that nobody reads: NUL, which no text has."""
        if not any(NUL in cells[place] for place in self._unread):
            return []
        names = ", ".join(self._layout.header[at] for at in self._unread if NUL in cells[at])
        return [f"{names}: expected a text, got NUL bytes. The file is damaged; export it again."]

    def _cell(self, item: Item, text: str) -> tuple[Value, tuple[str, ...]] | AnswerRefused:
        known = self._known.get((item.key, text))
        if known is None:
            try:
                known = read_cell(item, text)
            except AnswerRefused as refusal:
                known = refusal
            if len(self._known) >= CELLS_REMEMBERED:
                self._known.clear()
            if item.kind is not Kind.TEXT:
                self._known[item.key, text] = known
        return known


def read_cell(item: Item, text: str) -> tuple[Value, tuple[str, ...]]:
    """Return the value of a cell and the flags about how it was written.

    Parameters
    ----------
    item : Item
        The item of the column.
    text : str
        As the table has it.

    Returns
    -------
    tuple
        The value, ``None`` for a blank, and a tuple of ``<item>_midpoint`` (a range),
        ``<item>_reread`` (a time in another form: ``2330``, a date with a time, a fraction of the
        day) and ``<item>_under_1`` (hours of sleep below one: perhaps a fraction of the day).

    Raises
    ------
    AnswerRefused
        If the cell does not fit the item.
    """
    plain = _plain(text)
    if plain in BLANKS:
        return None, ()
    if plain.startswith("="):
        raise AnswerRefused(
            "wrong_type",
            item_key=item.key,
            expected="a value",
            got=text,
            advice="This is a formula; save the table with its values.",
        )
    if item.kind is Kind.TIME and (clock := _clock_of(item, plain)):
        return clock, (f"{item.key}_reread",)
    value = read_answer(item, text)
    flags = {
        f"{item.key}_midpoint": is_range(item, text),
        f"{item.key}_under_1": item.kind is Kind.HOURS_MINUTES and 0 < value < 1,
    }
    return value, tuple(name for name, holds in flags.items() if holds)


@dataclass
class Coding:
    """What a look at the whole table says about its codes."""

    instrument: Instrument
    n_rows: int = 0
    seen: set[str] = field(default_factory=set)

    def look_at(self, layout: Layout, cells: Sequence[str]) -> None:
        """Remember the codes of one row."""
        if len(cells) == len(layout.header):
            self.n_rows += 1
            self.seen.update(
                cells[layout.places[key]] for key in self._keys if key in layout.places
            )

    @property
    def is_from_1_suspected(self) -> bool:
        """Whether nobody used the lowest code 0, and somebody one too high or many answered."""
        codes = {re.sub(r"[.,]0+$", "", _plain(text)) for text in self.seen}
        if codes.isdisjoint(map(str, range(1, self._top + 1))) or "0" in codes:
            return False
        return str(self._top + 1) in codes or self.n_rows >= ROWS_THAT_SHOW_A_CODING

    @property
    def suspicion(self) -> str:
        """What to say about the whole table; empty for most."""
        if not self.is_from_1_suspected:
            return ""
        return (
            f"expected codes 0 to {self._top}, no answer of {self.n_rows} rows is coded 0. "
            f"If the codes run from 1 to {self._top + 1}, subtract 1 and score again: "
            f"every row written now has the flag {CODED_FROM_1}."
        )

    @cached_property
    def _keys(self) -> list[str]:
        items = self.instrument.items
        return [item.key for item in items if item.choices and min(item.choices) == 0]

    @property
    def _top(self) -> int:
        tops = (max(self.instrument.item(key).choices) for key in self._keys)
        return max(tops, default=0)


def score_rows(
    layout: Layout, rows: Sequence[ReadRow], rule_id: str, extra_flags: tuple[str, ...] = ()
) -> Iterable[list[str]]:
    """Yield each row with its scores, flags and rule after its own cells.

    Parameters
    ----------
    layout : Layout
        Of the table.
    rows : sequence of ReadRow
        Some rows of it.
    rule_id : str
        A rule of the instrument.
    extra_flags : tuple of str
        Flags that every row gets.
    """
    if not rows:
        return
    scored = _scored(layout, [row.answers for row in rows], rule_id)
    for row, (values, flags) in zip(rows, scored, strict=True):
        every = (*flags, *row.flags, *extra_flags)
        yield [*row.cells, *map(_number_text, values), " ".join(every), rule_id]


def _scored(
    layout: Layout, rows: list[Mapping[str, Value]], rule_id: str
) -> Iterable[tuple[Iterable[float | None], tuple[str, ...]]]:
    names = layout.score_names
    if rule_id not in COLUMN_RULES:
        for answers in rows:
            scores = score_answers(layout.instrument, answers, rule_id)
            yield [scores.values[name] for name in names], scores.flags
        return
    scores = score_columns(layout.instrument, columns_of(layout.instrument, rows), rule_id)
    values = np.stack([scores.values[name] for name in names], axis=1).tolist()
    yield from zip(values, scores.flags_by_row(), strict=True)


def _number_text(value: float | None) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if value == int(value) else repr(float(value))


def _clock_of(item: Item, text: str) -> str | None:
    """Return ``HH:MM`` for a time in a form that only tables have; ``None`` for any other text."""
    if match := DIGITS_OF_A_CLOCK.fullmatch(text):
        return f"{int(match[1]):02d}:{match[2]}"
    if match := DATED_TIME.fullmatch(text):
        return read_answer(item, match[1])
    match = DAY_FRACTION.fullmatch(text)
    if not match:
        return None
    minutes = float(f"0.{match[1]}") * MINUTES_IN_DAY
    rounding = MINUTES_IN_DAY / 2 / 10 ** len(match[1])
    is_whole_minute = abs(minutes - round(minutes)) <= rounding + 1e-6
    return time_of_day(round(minutes)) if is_whole_minute else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()
