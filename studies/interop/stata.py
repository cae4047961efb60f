"""Stata files (.dta) of release 118 (Stata 14 and later), in UTF-8, with labels.

A reason for an empty cell is an extended missing value, ``.d`` declined and ``.s`` skipped; every
other empty number is ``.``. Dates count days since 1960. A name longer than 32 characters is cut.

References
----------
StataCorp, "File formats .dta -- Description of .dta file format 118".
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import accumulate

from studies.interop.errors import InteropError
from studies.interop.variables import MONTHS, Absent, Cell, Kind, Variable, cut, fitting

EPOCH = date(1960, 1, 1)
LONGEST_NAME, LONGEST_LABEL = 32, 80
DOUBLE = 65526
# The bits of the double that is `.`; `.a` to `.z` follow in the steps given.
MISSING_BITS, MISSING_STEP = 0x7FE0_0000_0000_0000, 0x0000_0100_0000_0000
MISSING_LONG = 2_147_483_621
LETTERS = {Absent.DECLINED: "d", Absent.SKIPPED: "s"}
ROWS_AT_ONCE = 200


def dta(
    variables: Sequence[Variable], n_rows: int, rows: Iterable[Sequence[Cell]], *,
    title: str, at: datetime,
) -> Iterator[bytes]:  # fmt: skip
    """Yield the bytes of a Stata file; parameters as for `studies.interop.spss.sav`.

    Raises
    ------
    InteropError
        Another number of rows came, or a text that is too long.
    """
    before = [
        _tagged("variable_types", _numbers("H", [v.width or DOUBLE for v in variables])),
        _tagged("varnames", _names(variables)),
        _tagged("sortlist", bytes(2 * (len(variables) + 1))),
        _tagged("formats", b"".join(_padded(_format(v).encode(), 57) for v in variables)),
        _tagged(
            "value_label_names", b"".join(_padded(_set(n, v), 129) for n, v in _placed(variables))
        ),
        _tagged("variable_labels", b"".join(_padded(_label(v), 321) for v in variables)),
        _tagged("characteristics", b""),
    ]
    labels = _tagged("value_labels", b"".join(_label_sets(variables)))
    header = _header(len(variables), n_rows, title, at)
    width = sum(v.width or 8 for v in variables)
    data_size = len("<data></data>") + n_rows * width
    map_size = len("<map></map>") + 14 * 8
    sizes = [len(header), map_size, *map(len, before), data_size, len(b"<strls></strls>")]
    starts = [0, *accumulate([*sizes, len(labels), len(b"</stata_dta>")])]
    yield header + _tagged("map", _numbers("Q", starts))
    yield b"".join(before)
    yield b"<data>"
    yield from _data(variables, n_rows, rows)
    yield b"</data><strls></strls>" + labels + b"</stata_dta>"


def _header(n_variables: int, n_rows: int, title: str, at: datetime) -> bytes:
    label = cut(title, LONGEST_LABEL)
    stamp = f"{at.day:02d} {MONTHS[at.month - 1]} {at:%Y %H:%M}".encode()
    parts = [
        _tagged("release", b"118"),
        _tagged("byteorder", b"LSF"),
        _tagged("K", _numbers("H", [n_variables])),
        _tagged("N", _numbers("Q", [n_rows])),
        _tagged("label", _numbers("H", [len(label)]) + label),
        _tagged("timestamp", bytes([len(stamp)]) + stamp),
    ]
    return b"<stata_dta>" + _tagged("header", b"".join(parts))


def _names(variables: Sequence[Variable]) -> bytes:
    names = fitting([variable.name for variable in variables], LONGEST_NAME)
    return b"".join(_padded(name.encode(), 129) for name in names)


def _label(variable: Variable) -> bytes:
    # Stata counts characters here, not bytes.
    return (variable.label or variable.name)[:LONGEST_LABEL].encode()


def _format(variable: Variable) -> str:
    if variable.is_text:
        return f"%{variable.width}s"
    return "%tdCCYY-NN-DD" if variable.kind is Kind.DATE else "%10.0g"


def _placed(variables: Sequence[Variable]) -> Iterator[tuple[int, Variable]]:
    yield from enumerate(variables, start=1)


def _set(place: int, variable: Variable) -> bytes:
    """Return the name of a variable's set of labels; empty where it has none."""
    return f"labels{place}".encode() if _labels_of(variable) else b""


def _labels_of(variable: Variable) -> list[tuple[int, str]]:
    if variable.is_text:
        return []
    labels = list(variable.choices) if variable.kind is Kind.CODE else []
    if variable.may_be_absent:
        labels += [(MISSING_LONG + _rank(reason), str(reason)) for reason in LETTERS]
    return labels


def _label_sets(variables: Sequence[Variable]) -> Iterator[bytes]:
    for place, variable in _placed(variables):
        labels = sorted(_labels_of(variable))
        if not labels:
            continue
        texts = [label.encode() + b"\0" for _code, label in labels]
        offsets = [0, *accumulate(map(len, texts))]
        table = _numbers("i", [len(labels), offsets[-1], *offsets[:-1]])
        table += _numbers("i", [code for code, _label in labels]) + b"".join(texts)
        name = _padded(_set(place, variable), 129) + bytes(3)
        yield _tagged("lbl", _numbers("I", [len(table)]) + name + table)


def _data(
    variables: Sequence[Variable], n_rows: int, rows: Iterable[Sequence[Cell]]
) -> Iterator[bytes]:
    writers = [_text_writer(v) if v.is_text else _number for v in variables]
    waiting: list[bytes] = []
    n_seen = 0
    for row in rows:
        waiting.extend(write(cell) for write, cell in zip(writers, row, strict=True))
        n_seen += 1
        if n_seen % ROWS_AT_ONCE == 0:
            yield b"".join(waiting)
            waiting.clear()
    if n_seen != n_rows:
        raise InteropError(f"expected {n_rows} rows, got {n_seen}. Count them again.")
    yield b"".join(waiting)


def _text_writer(variable: Variable) -> Callable[[Cell], bytes]:
    return lambda cell: _padded(variable.text(cell), variable.width)


def _number(cell: Cell) -> bytes:
    if cell is None:
        return struct.pack("<Q", MISSING_BITS)
    if isinstance(cell, Absent):
        return struct.pack("<Q", MISSING_BITS + _rank(cell) * MISSING_STEP)
    return struct.pack("<d", (cell - EPOCH).days if isinstance(cell, date) else cell)


def _rank(reason: Absent) -> int:
    return ord(LETTERS[reason]) - ord("a") + 1


def _tagged(tag: str, content: bytes) -> bytes:
    return f"<{tag}>".encode() + content + f"</{tag}>".encode()


def _padded(content: bytes, width: int) -> bytes:
    return content.ljust(width, b"\0")


def _numbers(code: str, numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}{code}", *numbers)
