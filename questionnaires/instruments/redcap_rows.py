"""The rows of a data dictionary: one field each, with its line and what spoilt its words."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from questionnaires.instruments.errors import DictionaryRefused
from questionnaires.instruments.garbled import has_lost_words, is_garbled
from questionnaires.instruments.redcap import CHOICES, FORM, HEADER, LABEL, NAME, NOTE, SECTION

LONGEST_QUOTE = 40
WORDED = (SECTION, LABEL, CHOICES, NOTE)
Problem = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One field: the line it begins on, its cells, and what is wrong with the words in them."""

    line: int
    cells: Mapping[str, str]
    spoilt: tuple[str, ...] = ()

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def rows_of(data: bytes) -> tuple[list[Row], list[Problem]]:
    """Return the fields below the header, and the lines that are none with what is wrong.

    Parameters
    ----------
    data : bytes
        CSV in UTF-8 with the 18 columns in their order.

    Raises
    ------
    DictionaryRefused
        If it is no data dictionary at all, or has no field.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        if header != list(HEADER):
            raise DictionaryRefused(_about_header(header))
        begins = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(HEADER) and any(cell.strip() for cell in cells):
                rows.append(_row(begins, cells))
            elif any(cell.strip() for cell in cells):
                about = f"expected {len(HEADER)} cells, got {len(cells)}. Check its quotes."
                problems.append((begins, about))
            begins = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise DictionaryRefused(
            f"expected a CSV in UTF-8, got {error}. Save it as such."
        ) from error
    if not rows:
        raise DictionaryRefused(all_of(problems) or "expected fields below the header, got none.")
    return rows, problems


def form_of(rows: list[Row], form: str) -> str:
    """Return which form to read: the one that is named, or the only one.

    Raises
    ------
    DictionaryRefused
        If there is none of that name, or several and none is named.
    """
    # The record id stands first and belongs to whatever form comes first.
    forms = list(dict.fromkeys(row[FORM] for row in rows[1:])) or [rows[0][FORM]]
    if form in forms or (not form and len(forms) == 1):
        return form or forms[0]
    raise DictionaryRefused(
        f"expected the name of one form ({', '.join(forms)}), got {form or 'none'!r}."
    )


def all_of(problems: list[Problem]) -> str:
    """Return everything that is wrong in the order of its lines, each on a line of its own."""
    in_order = sorted(problems, key=lambda problem: problem[0])
    return "\n".join(f"line {line}: {about}" for line, about in in_order)


def _about_header(header: list[str]) -> str:
    absent = [name for name in HEADER if name not in header]
    unknown = [name for name in header if name not in HEADER]
    return (
        f"expected the {len(HEADER)} columns of a REDCap data dictionary in their order; "
        f"missing: {'; '.join(absent) or 'none'}; unknown: {'; '.join(unknown) or 'none'}. "
        "Download the dictionary again."
    )


def _row(line: int, cells: list[str]) -> Row:
    raw = dict(zip(HEADER, cells, strict=True))
    # Before anything is stripped: a spoilt character may end in a no-break space.
    return Row(line, {name: raw[name].strip() for name in HEADER}, tuple(_spoilt(raw)))


def _spoilt(raw: Mapping[str, str]) -> Iterator[str]:
    for column in WORDED:
        text = raw[column]
        where, got = f"{raw[NAME].strip()}: expected", f"{text.strip()[:LONGEST_QUOTE]!r}"
        if is_garbled(text):
            yield f"{where} readable words as {column}, got {got}. Save the file in UTF-8."
        elif has_lost_words(text):
            yield (
                f"{where} words as {column}, got question marks ({got}). "
                "An encoding lost them: take them from the original and save in UTF-8."
            )
