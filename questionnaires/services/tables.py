"""Score a file of answers: read it twice, write beside it, replace in one step.

The first reading looks at the whole table (encoding, quotes, coding) and keeps nothing but the
codes that occur; the second scores it a few thousand rows at a time. A million rows take no more
memory than ten thousand.
"""

import csv
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from questionnaires.instruments.errors import TableRefused, UnknownRule
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.table import (
    CODED_FROM_1,
    CellReader,
    Coding,
    Layout,
    RefusedRow,
    score_rows,
)

ROWS_AT_A_TIME = 5000
LONGEST_QUOTE = 20
BETWEEN_WORDS = re.compile(r"[\s,;\"]+")
DELIMITERS = (",", ";", "\t")
# A spreadsheet's first line that only says what stands between the cells.
SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?[,;\t]*\s*', re.IGNORECASE)
# What tables are written in where they are not in UTF-8, each as a reader would name it.
LIKELY_ENCODINGS = {"gb18030": "GB 18030", "big5": "Big5", "cp1252": "Windows-1252"}
# The punctuation and the 3755 everyday characters of GB 2312; two accented letters in a row can
# make one of them, so one alone proves nothing.
SURELY_CHINESE = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*")
SURE_BYTES = 4
LAST_ASCII = 0x7F
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class ScoredTable:
    """What became of a table.

    ``is_written`` is false where a row was refused and all or none was asked for. ``suspicion`` is
    a sentence about the coding of the whole table; empty for most.
    """

    n_scored: int
    n_refused: int
    carried: tuple[str, ...]
    suspicion: str
    is_written: bool


def score_table_file(
    *,
    instrument: Instrument,
    source: Path,
    target: Path,
    rule_id: str = "",
    encoding: str = "",
    all_or_nothing: bool = False,
    refuse: Callable[[RefusedRow], None],
) -> ScoredTable:
    """Write a table's rows with their scores; `refuse` hears of every row that is left out.

    Raises TableRefused where the table cannot be read as a whole, UnknownRule, and OSError.
    """
    rule_id = rule_id or instrument.default_rule
    if rule_id not in instrument.rule_ids:
        raise UnknownRule(instrument.key, rule_id, instrument.rule_ids)
    _refuse_same_file(source, target)
    table = _Table(source, instrument, encoding)
    layout, coding = table.surveyed()
    extra_flags = (CODED_FROM_1,) if coding.is_from_1_suspected else ()
    n_scored = n_refused = 0
    with _replacing(target, table.output_encoding) as (file, keep):
        writer = csv.writer(file, delimiter=table.delimiter, lineterminator="\n")
        writer.writerow([*layout.header, *layout.added])
        reader = CellReader(layout)
        rows = (reader.row(line, cells) for line, cells in table.rows())
        while some := list(islice(rows, ROWS_AT_A_TIME)):
            refused = [row for row in some if isinstance(row, RefusedRow)]
            for row in refused:
                refuse(row)
            readable = [row for row in some if not isinstance(row, RefusedRow)]
            writer.writerows(score_rows(layout, readable, rule_id, extra_flags))
            n_refused += len(refused)
            n_scored += len(readable)
        is_written = not (all_or_nothing and (n_refused or extra_flags))
        if is_written:
            keep()
    return ScoredTable(n_scored, n_refused, tuple(layout.carried), coding.suspicion, is_written)


class _Table:
    """A CSV file whose encoding and delimiter were found out."""

    def __init__(self, path: Path, instrument: Instrument, encoding: str) -> None:
        if not path.is_file():
            raise TableRefused(f"expected a CSV file, {path} is none. Check its name.")
        self._path = path
        self._instrument = instrument
        with path.open("rb") as file:
            head = file.read(4)
        marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
        self.encoding = encoding or marked
        # A spreadsheet that needed a mark, or another encoding, reads UTF-8 only with its mark.
        self.output_encoding = "utf-8" if self.encoding == "utf-8" else "utf-8-sig"
        self._first = self._first_line()
        self.delimiter = self._found_delimiter()

    def surveyed(self) -> tuple[Layout, Coding]:
        """Return the layout and the coding after reading the whole file once."""
        rows = self._cells()
        _line, header = next(rows, (0, None))
        if header is None:
            raise self._empty()
        layout, coding = Layout(self._instrument, header), Coding(self._instrument)
        for _line, cells in rows:
            coding.look_at(layout, cells)
        return layout, coding

    def rows(self) -> Iterator[Row]:
        """Yield the rows below the header with the line each begins on; empty lines are none."""
        rows = self._cells()
        next(rows)
        return rows

    def _first_line(self) -> str:
        with self._readable() as file:
            first = next((line for line in file if line.strip()), "")
        if not first:
            raise self._empty()
        return first

    def _empty(self) -> TableRefused:
        return TableRefused(f"expected a header and rows, {self._path} is empty.")

    def _found_delimiter(self) -> str:
        """Return the stated delimiter, or that under which the header names the most items."""
        if stated := SEPARATOR_LINE.fullmatch(self._first):
            return stated["delimiter"]
        keys = {item.key for item in self._instrument.items}

        def n_items(delimiter: str) -> int:
            names = next(csv.reader([self._first], delimiter=delimiter))
            return len(keys & {name.strip().casefold() for name in names})

        return max(DELIMITERS, key=n_items)

    def _cells(self) -> Iterator[Row]:
        """Yield the header and the rows, without empty lines and the line of the delimiter."""
        rows = self._lines()
        if SEPARATOR_LINE.fullmatch(self._first):
            next(rows)
        return rows

    def _lines(self) -> Iterator[Row]:
        with self._readable() as file:
            reader = csv.reader(file, delimiter=self.delimiter, strict=True)
            begins = 1
            try:
                for cells in reader:
                    if cells:
                        yield begins, cells
                    begins = reader.line_num + 1
            except csv.Error as error:
                raise TableRefused(
                    f"expected quotes that close, got line {begins} ({error}). "
                    'Write a quote inside a quoted cell twice ("").'
                ) from error

    @contextmanager
    def _readable(self) -> Iterator[IO[str]]:
        try:
            with self._path.open(encoding=self.encoding, newline="") as file:
                yield file
        except LookupError as error:
            raise TableRefused(
                f"expected the name of an encoding, got {self.encoding!r}. "
                "Try utf-8, utf-16 or gb18030."
            ) from error
        except UnicodeError as error:
            raise TableRefused(_not_decodable(self._path, self.encoding)) from error


def _not_decodable(path: Path, encoding: str) -> str:
    """Return what to say about a file that is not in the encoding it was opened with."""
    line = _first_undecodable_line(path, encoding)
    where = f" on line {line[0]}" if line else ""
    looks = _looks_like(line[1]) if line else ""
    return (
        f"expected {encoding}, got other bytes{where}.{looks} "
        'Save the table as "CSV UTF-8", or name its encoding with --encoding.'
    )


def _looks_like(line: bytes) -> str:
    """Return what a line may be encoded in: one encoding where that is clear, else each reading."""
    if _is_surely_gb(line):
        return f' It looks like GB 18030 ("{_foreign_words(line, "gb18030")}").'
    readings = {}
    for encoding, name in LIKELY_ENCODINGS.items():
        with suppress(UnicodeError):
            readings[encoding] = f'{name} ("{_foreign_words(line, encoding)}", {encoding})'
    if not readings:
        return ""
    return f" Which encoding it is in is not clear; it may be {' or '.join(readings.values())}."


def _is_surely_gb(line: bytes) -> bool:
    n_bytes = sum(byte > LAST_ASCII for byte in line)
    return n_bytes >= SURE_BYTES and SURELY_CHINESE.fullmatch(line) is not None


def _foreign_words(line: bytes, encoding: str) -> str:
    words = BETWEEN_WORDS.split(line.decode(encoding))
    return " ".join(word for word in words if not word.isascii())[:LONGEST_QUOTE]


def _first_undecodable_line(path: Path, encoding: str) -> tuple[int, bytes] | None:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return number, line
    return None


def _refuse_same_file(source: Path, target: Path) -> None:
    if target.exists() and source.exists() and target.samefile(source):
        raise TableRefused(
            f"expected another file to write than the one to read, got {target} twice. "
            "Name a new file."
        )


@contextmanager
def _replacing(target: Path, encoding: str) -> Iterator[tuple[IO[str], Callable[[], None]]]:
    """Give a file to write and a way to keep it; without that, the target stays as it was."""
    wanted: list[bool] = []
    with NamedTemporaryFile(
        "w",
        encoding=encoding,
        newline="",
        dir=target.parent,
        prefix=f".{target.name}.",
        delete=False,
    ) as file:
        try:
            yield file, lambda: wanted.append(True)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            Path(file.name).unlink()
            raise
    if wanted:
        Path(file.name).replace(target)
    else:
        Path(file.name).unlink()
