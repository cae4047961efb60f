"""The long table of a trial, read into arrays: one row a participant and visit.

Nothing is guessed. A cell that is neither a number nor a missing code, a formula, a second row of
the same participant and visit, an arm that the plan does not know, a participant in two arms:
each is refused with line and column. Rows of visits that the plan does not name are counted and
left out.

Participants are put in the order of their ids, so that the order of rows decides nothing.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import TableError
from studies.stats.plan.plan import AnalysisPlan, visit_label

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# What a spreadsheet would run: a lone sign, or a sign before a plain word of text, is no formula.
FORMULA = re.compile(r"[=@].*|[+-]\s*[A-Za-z(].*|[+-][\d.]+\s*[-+*/(].*", re.DOTALL)
# Everybody, where arms are not told apart.
POOL = "all"
LARGEST = 1e100
LARGEST_FIELD = 10_000


@dataclass(frozen=True, eq=False, slots=True)
class TrialTable:
    """The trial as arrays; n participants, m follow-up visits.

    Parameters
    ----------
    ids : tuple of str
    arms : ndarray of int, shape (n,)
        Positions in `levels`.
    levels : tuple of str
        The arms, the reference first.
    outcomes : dict
        Outcome -> scores, shape (n, 1 + m), the baseline first; NaN marks a missing one.
    strata : dict
        Column -> labels, shape (n,); empty where missing.
    covariates : dict
        Column -> numbers, shape (n,).
    digest : str
        SHA-256 of the values that are analysed, whatever the order of rows and columns.
    warnings : tuple of str
    varying : dict
        Column -> numbers of each visit, shape (n, 1 + m): music features, items.
    """

    ids: tuple[str, ...]
    arms: NDArray[np.intp]
    levels: tuple[str, ...]
    outcomes: Mapping[str, NDArray[np.float64]]
    strata: Mapping[str, NDArray[np.str_]]
    covariates: Mapping[str, NDArray[np.float64]]
    digest: str
    warnings: tuple[str, ...] = ()
    varying: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(slots=True)
class _Person:
    arm: str
    labels: dict[str, str]
    numbers: dict[str, float]
    scores: dict[str, dict[str, float]]
    varying: dict[str, dict[str, float]]


def read_table(lines: Iterable[str], plan: AnalysisPlan, *, together: bool = False) -> TrialTable:
    """Return the trial that a CSV text holds.

    Parameters
    ----------
    lines : iterable of str
        With a header line. A byte-order mark is ignored.
    plan : AnalysisPlan
    together : bool
        Whether everybody is in one pool, whatever the column of arms says.

    Raises
    ------
    TableError
        With a code: ``empty_table``, ``missing_column``, ``duplicate_column``, ``ragged_row``,
        ``text_in_number``, ``formula_in_cell``, ``duplicate_row``, ``unknown_arm``,
        ``changing_value``, ``missing_value``, ``too_few_arms``, ``unreadable``.
    """
    people: dict[str, _Person] = {}
    n_left_out = 0
    wanted = {plan.baseline_visit, *plan.visits}
    for line, row in _rows(lines, plan):
        visit = visit_label(_named(row, plan.visit_column, line, plan))
        identity = _named(row, plan.id_column, line, plan)
        arm = POOL if together else visit_label(_named(row, plan.arm_column, line, plan))
        if visit not in wanted:
            n_left_out += 1
            continue
        person = people.setdefault(identity, _Person(arm, {}, {}, {}, {}))
        _add(person, row, line, arm, visit, plan, identity, together=together)
    if not people:
        raise TableError("expected rows of the plan's visits, got none.", code="empty_table")
    return _table(people, plan, n_left_out, together=together)


def _rows(lines: Iterable[str], plan: AnalysisPlan) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(_without_mark(lines), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _require_columns(header, plan)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise TableError(
                    f"expected {len(header)} cells in line {reader.line_num}, got {len(cells)}.",
                    code="ragged_row",
                )
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise TableError(
            f"expected a CSV table, got {error} in line {reader.line_num}.", code="unreadable"
        ) from error


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line


def _require_columns(header: list[str], plan: AnalysisPlan) -> None:
    if not header:
        raise TableError("expected a header line, got an empty table.", code="empty_table")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise TableError(
            f"expected each column once, got {', '.join(twice)} twice.", code="duplicate_column"
        )
    needed = [
        plan.id_column, plan.arm_column, plan.visit_column,
        *(outcome.column for outcome in plan.outcomes), *plan.strata, *_number_columns(plan),
        *plan.varying_columns,
    ]  # fmt: skip
    missing = sorted({name for name in needed if name not in header})
    if missing:
        raise TableError(
            f"expected the columns {', '.join(missing)}, got {', '.join(header)}. Correct the "
            "names in the plan.",
            code="missing_column",
        )


def _number_columns(plan: AnalysisPlan) -> tuple[str, ...]:
    return (*plan.covariates, *((plan.adherence_column,) if plan.adherence_column else ()))


def _add(
    person: _Person, row: dict[str, str], line: int, arm: str, visit: str, plan: AnalysisPlan,
    identity: str, *, together: bool,
) -> None:  # fmt: skip
    if person.arm != arm:
        raise TableError(
            f"expected participant {identity} in one arm, got {person.arm} and {arm} (line "
            f"{line}).",
            code="changing_value",
        )
    if not together:
        _require_known(arm, line, plan)
    if visit in person.scores:
        raise TableError(
            f"expected one row for participant {identity} at visit {visit}, got a second one in "
            f"line {line}. Remove one of them.",
            code="duplicate_row",
        )
    person.scores[visit] = {
        outcome.name: _number(row[outcome.column], line, outcome.column, plan)
        for outcome in plan.outcomes
    }
    person.varying[visit] = {
        column: _number(row[column], line, column, plan) for column in plan.varying_columns
    }
    for column in plan.strata:
        _keep(person.labels, column, _label(row[column], line, column, plan), "", line, identity)
    for column in _number_columns(plan):
        number = _number(row[column], line, column, plan)
        _keep(person.numbers, column, number, np.nan, line, identity)


def _require_known(arm: str, line: int, plan: AnalysisPlan) -> None:
    if plan.arms and arm not in plan.arms:
        raise TableError(
            f"expected one of {', '.join(plan.arms)} in column {plan.arm_column}, line {line}, got "
            f"{arm!r}. Correct the row, or add the arm to the plan.",
            code="unknown_arm",
        )


def _keep(
    store: dict, column: str, value: str | float, missing: str | float, line: int, identity: str
) -> None:
    is_missing = value == "" or value != value
    known = store.get(column, missing)
    if is_missing:
        store.setdefault(column, missing)
    elif known == "" or known != known:
        store[column] = value
    elif known != value:
        raise TableError(
            f"expected one value of {column} for participant {identity}, got {known} and {value} "
            f"(line {line}).", code="changing_value",
        )  # fmt: skip


def _number(cell: str, line: int, column: str, plan: AnalysisPlan) -> float:
    if cell in plan.missing_codes or not cell:
        return float("nan")
    if not NUMBER.fullmatch(cell):
        is_formula = bool(FORMULA.fullmatch(cell))
        what = "a formula" if is_formula else repr(cell[:40])
        raise TableError(
            f"expected a number in column {column}, line {line}, got {what}. Write a plain number, "
            "or leave the cell empty where the value is missing.",
            code="formula_in_cell" if is_formula else "text_in_number",
        )
    value = float(cell)
    if abs(value) > LARGEST:
        raise TableError(
            f"expected a number of a possible size in column {column}, line {line}, got "
            f"{cell[:40]}.",
            code="text_in_number",
        )
    return value


def _named(row: dict[str, str], column: str, line: int, plan: AnalysisPlan) -> str:
    label = _label(row[column], line, column, plan)
    if not label:
        raise TableError(
            f"expected a value in column {column}, line {line}, got none.",
            code="unknown_arm" if column == plan.arm_column else "missing_value",
        )
    return label


def _label(cell: str, line: int, column: str, plan: AnalysisPlan) -> str:
    if cell in plan.missing_codes:
        return ""
    if FORMULA.fullmatch(cell) and not NUMBER.fullmatch(cell):
        raise TableError(
            f"expected a label in column {column}, line {line}, got a formula.",
            code="formula_in_cell",
        )
    return cell


def _table(
    people: dict[str, _Person], plan: AnalysisPlan, n_left_out: int, *, together: bool
) -> TrialTable:
    ids = tuple(sorted(people, key=_natural))
    levels = (POOL,) if together else _levels({person.arm for person in people.values()}, plan)
    visits = (plan.baseline_visit, *plan.visits)
    outcomes = {
        outcome.name: _by_visit([people[i].scores for i in ids], visits, outcome.name)
        for outcome in plan.outcomes
    }
    varying = {
        column: _by_visit([people[i].varying for i in ids], visits, column)
        for column in plan.varying_columns
    }
    strata = {name: np.array([people[i].labels[name] for i in ids]) for name in plan.strata}
    covariates = {
        name: np.array([people[i].numbers[name] for i in ids]) for name in _number_columns(plan)
    }
    arms = np.array([levels.index(people[i].arm) for i in ids])
    warnings = (f"{n_left_out} rows of visits that the plan does not name were left out",)
    return TrialTable(
        ids, arms, levels, outcomes, strata, covariates,
        _digest(ids, arms, levels, (outcomes, strata, covariates, varying)),
        warnings if n_left_out else (), varying,
    )  # fmt: skip


def _by_visit(
    people: list[dict[str, dict[str, float]]], visits: tuple[str, ...], name: str
) -> NDArray[np.float64]:
    return np.array([[one.get(visit, {}).get(name, np.nan) for visit in visits] for one in people])


def _levels(found: set[str], plan: AnalysisPlan) -> tuple[str, ...]:
    if plan.reference_arm not in found:
        raise TableError(
            f"expected the reference arm {plan.reference_arm} in the table, got "
            f"{', '.join(sorted(found))}.", code="unknown_arm",
        )  # fmt: skip
    if len(found) < 2:
        raise TableError(
            f"expected two arms or more, got {plan.reference_arm} alone.", code="too_few_arms"
        )
    others = plan.arms or tuple(sorted(found))
    return (plan.reference_arm, *(arm for arm in others if arm != plan.reference_arm))


def _natural(identity: str) -> tuple[bool, float, str]:
    """Return the place of an id: numbers by size, then texts by letters."""
    is_number = bool(NUMBER.fullmatch(identity))
    return not is_number, float(identity) if is_number else 0.0, identity


def _digest(
    ids: tuple[str, ...], arms: NDArray[np.intp], levels: tuple[str, ...], columns: tuple[Mapping,
    ...]
) -> str:  # fmt: skip
    found = hashlib.sha256(repr((ids, [levels[arm] for arm in arms])).encode())
    named = [(name, part[name]) for part in columns for name in part]
    for name, values in sorted(named, key=itemgetter(0)):
        found.update(name.encode())
        found.update(repr(values.tolist()).encode())
    return found.hexdigest()
