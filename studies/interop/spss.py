"""SPSS system files (.sav), uncompressed, in UTF-8, with labels and user-missing codes.

A reason for an empty cell is a user-missing value: -99 declined, -98 skipped (far below any range
where a variable could be that itself); every other empty number is system-missing. An empty text is
a blank one: the format has no other. Dates count seconds since 14 October 1582.

References
----------
PSPP Developers, "System File Format", GNU PSPP Developers Guide.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from sys import float_info

from studies.interop.errors import InteropError
from studies.interop.variables import MONTHS, Absent, Cell, Kind, Variable, cut

ELEMENT = 8
SYSTEM_MISSING = -float_info.max
LOWEST = -1.797693134862315e308
EPOCH = date(1582, 10, 14)
SECONDS_IN_DAY = 86_400
LONGEST_LABEL, LONGEST_CHOICE, LONGEST_NAME = 255, 120, 64
FORMAT_TEXT, FORMAT_NUMBER, FORMAT_DATE = 1, 5, 39
NOMINAL, SCALE = 1, 3
LEFT, RIGHT = 0, 1
UTF8 = 65001
ROWS_AT_ONCE = 200


def sav(
    variables: Sequence[Variable], n_rows: int, rows: Iterable[Sequence[Cell]], *,
    title: str, at: datetime,
) -> Iterator[bytes]:  # fmt: skip
    """Yield the bytes of a system file.

    Parameters
    ----------
    variables : sequence of Variable
    n_rows : int
        How many rows will come.
    rows : iterable of sequences of cells
        Aligned with `variables`; taken one by one.
    title : str
        Label of the file.
    at : datetime
        When it was made.

    Raises
    ------
    InteropError
        Another number of rows came, or a text that is too long.
    """
    for variable in variables:
        if len(variable.name) > LONGEST_NAME:
            raise InteropError(
                f"expected names of at most {LONGEST_NAME} characters, got {variable.name}. "
                "Shorten it with `fitting`."
            )
    yield _header(variables, n_rows, title, at)
    for variable in enumerate(variables, start=1):
        yield _variable(*variable)
    yield from _choices(variables)
    yield from _extensions(variables, n_rows)
    yield _ints(999, 0)
    yield from _data(variables, n_rows, rows)


def _header(variables: Sequence[Variable], n_rows: int, title: str, at: datetime) -> bytes:
    n_elements = sum(_n_elements(variable) for variable in variables)
    return b"".join(
        [
            b"$FL2",
            "@(#) SPSS DATA FILE Nocturne".ljust(60).encode(),
            _ints(2, n_elements, 0, 0, n_rows),
            struct.pack("<d", 100.0),
            f"{at.day:02d} {MONTHS[at.month - 1]} {at:%y}".encode(),
            f"{at:%H:%M:%S}".encode(),
            cut(title, 64).ljust(64),
            bytes(3),
        ]
    )


def _variable(place: int, variable: Variable) -> bytes:
    kind = variable.width if variable.is_text else 0
    label = cut(variable.label or variable.name, LONGEST_LABEL)
    codes = _missing_codes(variable)
    shown = _format(variable)
    parts = [
        _ints(2, kind, 1, len(codes), shown, shown),
        _short_name(place),
        _ints(len(label)),
        label.ljust(-(-len(label) // 4) * 4),
        struct.pack(f"<{len(codes)}d", *codes),
    ]
    continued = _ints(2, -1, 0, 0, 0, 0) + b" " * ELEMENT
    return b"".join(parts) + continued * (_n_elements(variable) - 1)


def _missing_codes(variable: Variable) -> list[int]:
    if variable.is_text or not variable.may_be_absent:
        return []
    return list(variable.absent_codes.values())


def _choices(variables: Sequence[Variable]) -> Iterator[bytes]:
    """Yield the labels of codes, and of the reasons for an empty cell."""
    place = 1
    for variable in variables:
        labels = list(variable.choices) if variable.kind is Kind.CODE else []
        if _missing_codes(variable):
            labels += [(code, str(reason)) for reason, code in variable.absent_codes.items()]
        if labels:
            yield _ints(3, len(labels)) + b"".join(_choice(*choice) for choice in labels)
            yield _ints(4, 1, place)
        place += _n_elements(variable)


def _choice(code: int, label: str) -> bytes:
    content = cut(label, LONGEST_CHOICE)
    with_length = bytes([len(content)]) + content
    padded = -(-len(with_length) // ELEMENT) * ELEMENT
    return struct.pack("<d", code) + with_length.ljust(padded)


def _extensions(variables: Sequence[Variable], n_rows: int) -> Iterator[bytes]:
    yield _extension(3, 4, _ints(1, 0, 0, -1, 1, 1, 2, UTF8))
    yield _extension(4, 8, struct.pack("<3d", SYSTEM_MISSING, float_info.max, LOWEST))
    shown = [number for variable in variables for number in _display(variable)]
    yield _extension(11, 4, _ints(*shown))
    names = "\t".join(f"V{place:07d}={v.name}" for place, v in enumerate(variables, start=1))
    yield _extension(13, 1, names.encode())
    yield _extension(16, 8, struct.pack("<2q", 1, n_rows))
    yield _extension(20, 1, b"UTF-8")


def _display(variable: Variable) -> tuple[int, int, int]:
    is_nominal = variable.kind in (Kind.TEXT, Kind.CODE)
    width = min(variable.width, 40) if variable.is_text else 10
    return (
        NOMINAL if is_nominal else SCALE,
        max(width, 8),
        LEFT if variable.is_text else RIGHT,
    )


def _extension(subtype: int, size: int, content: bytes) -> bytes:
    return _ints(7, subtype, size, len(content) // size) + content


def _data(
    variables: Sequence[Variable], n_rows: int, rows: Iterable[Sequence[Cell]]
) -> Iterator[bytes]:
    writers = [_text_writer(v) if v.is_text else _number_writer(v) for v in variables]
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
    width = _n_elements(variable) * ELEMENT
    return lambda cell: variable.text(cell).ljust(width)


def _number_writer(variable: Variable) -> Callable[[Cell], bytes]:
    codes: dict[Cell, float] = {None: SYSTEM_MISSING, **variable.absent_codes}
    pack = struct.Struct("<d").pack

    def written(cell: Cell) -> bytes:
        if cell is None or isinstance(cell, Absent):
            return pack(codes[cell])
        if isinstance(cell, date):
            return pack((cell - EPOCH).days * SECONDS_IN_DAY)
        return pack(cell)

    return written


def _format(variable: Variable) -> int:
    kind, width, decimals = {
        Kind.TEXT: (FORMAT_TEXT, variable.width, 0),
        Kind.DATE: (FORMAT_DATE, 10, 0),
        Kind.NUMBER: (FORMAT_NUMBER, 12, 3),
    }.get(variable.kind, (FORMAT_NUMBER, 8, 0))
    return decimals | width << 8 | kind << 16


def _n_elements(variable: Variable) -> int:
    return -(-variable.width // ELEMENT) if variable.is_text else 1


def _short_name(place: int) -> bytes:
    return f"V{place:07d}".encode()


def _ints(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}i", *numbers)
