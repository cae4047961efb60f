"""The flat tables: one row a participant and visit (long), one row a participant (wide).

A variable of an instrument is `<instrument>_<item>` or `<instrument>_<score>`; in the wide table
``_w4`` follows for week 4. Free text has no column. The long table can be analysed as it is:
``manage.py analyse long.csv --plan plan.json``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from questionnaires.instruments import instrument as questions
from questionnaires.instruments.instrument import Item, ScoreField
from studies.interop.people import Form, Person, VisitRecord
from studies.interop.study_sheet import FactorSheet, InstrumentSheet, StudySheet
from studies.interop.variables import Cell, Kind, Variable, fitting

LONGEST_CODE = 16
LONGEST_NAME = 64
TIME_WIDTH = len("23:59")
KINDS = {
    questions.Kind.CHOICE: Kind.CODE,
    questions.Kind.TIME: Kind.TEXT,
    questions.Kind.MINUTES: Kind.NUMBER,
    questions.Kind.HOURS_MINUTES: Kind.NUMBER,
    questions.Kind.NUMBER: Kind.NUMBER,
    questions.Kind.COUNT: Kind.WHOLE,
    questions.Kind.WHOLE_NUMBER: Kind.WHOLE,
    questions.Kind.DATE: Kind.DATE,
}
PARTICIPANT = Variable("participant", Kind.TEXT, "Code of the participant", width=LONGEST_CODE)
SYNTHETIC = Variable(
    "is_synthetic", Kind.CODE, "Whether no person stands behind this row",
    choices=((0, "A person"), (1, "Synthetic: no person")),
)  # fmt: skip


def long_variables(sheet: StudySheet) -> list[Variable]:
    """Return the columns of the long table."""
    measured = [v for form in sheet.instruments for v in _measured(form)]
    about = [
        Variable("week", Kind.WHOLE, "Planned week of the visit; 0 is baseline", low=0),
        Variable("target_on", Kind.DATE, "Planned day of the visit"),
    ]
    return _named([PARTICIPANT, _arm(sheet), *_strata(sheet), *about, *measured, SYNTHETIC])


def long_rows(sheet: StudySheet, people: Iterable[Person]) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for every visit of every participant, missed ones too."""
    for person in people:
        about = (person.code, person.arm, *_levels(sheet, person))
        for visit in person.visits:
            cells = (cell for form in sheet.instruments for cell in _cells(form, visit))
            yield (*about, visit.week, visit.target_on, *cells, int(sheet.is_synthetic))


def wide_variables(sheet: StudySheet) -> list[Variable]:
    """Return the columns of the wide table."""
    measured = [
        _of_week(variable, visit.week)
        for visit in sheet.visits
        for form in sheet.at_week(visit.week)
        for variable in _measured(form)
    ]
    return _named([PARTICIPANT, _arm(sheet), *_strata(sheet), *measured, SYNTHETIC])


def wide_rows(sheet: StudySheet, people: Iterable[Person]) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for every participant."""
    for person in people:
        visits = {visit.week: visit for visit in person.visits}
        cells = (
            cell
            for planned in sheet.visits
            for form in sheet.at_week(planned.week)
            for cell in _cells(form, visits.get(planned.week))
        )
        yield (
            person.code, person.arm, *_levels(sheet, person), *cells, int(sheet.is_synthetic),
        )  # fmt: skip


def factor_name(factor: FactorSheet) -> str:
    """Return a stratification factor's name as a variable."""
    return re.sub(r"\W", "_", factor.name)


def _measured(form: InstrumentSheet) -> Iterator[Variable]:
    for item in form.told_items:
        yield _item(form, item)
    for score in form.instrument.scores:
        yield _score(form, score)


def _item(form: InstrumentSheet, item: Item) -> Variable:
    words, kind = form.wording, KINDS[item.kind]
    return Variable(
        name=f"{form.key}_{item.key}",
        kind=kind,
        label=words.items[item.key].label,
        unit=item.unit,
        choices=tuple(words.choices(item)) if item.choices else (),
        low=item.low,
        high=item.high,
        width=TIME_WIDTH if kind is Kind.TEXT else 0,
        may_be_absent=kind is not Kind.TEXT,
    )


def _score(form: InstrumentSheet, score: ScoreField) -> Variable:
    return Variable(
        name=f"{form.key}_{score.name}",
        kind=Kind.NUMBER,
        label=f"{form.key.upper()} {score.name.replace('_', ' ')}",
        unit=score.unit,
        low=score.low,
        high=score.high,
    )


def _cells(form: InstrumentSheet, visit: VisitRecord | None) -> Iterator[Cell]:
    filled = visit.form(form.key) if visit else None
    for item in form.told_items:
        yield _answer(item, filled)
    for score in form.instrument.scores:
        yield filled.scores.get(score.name) if filled else None


def _answer(item: Item, filled: Form | None) -> Cell:
    cell = filled.cell(item.key) if filled else None
    if item.kind is questions.Kind.DATE and type(cell) is str:
        return date.fromisoformat(cell)
    return cell


def _of_week(variable: Variable, week: int) -> Variable:
    label = f"{variable.label} (week {week})"
    return replace(variable, name=f"{variable.name}_w{week}", label=label)


def _arm(sheet: StudySheet) -> Variable:
    return Variable("arm", Kind.TEXT, "Arm, or its mask", width=_widest(sheet.arms))


def _strata(sheet: StudySheet) -> Iterator[Variable]:
    for factor in sheet.factors:
        width = _widest(factor.levels)
        yield Variable(factor_name(factor), Kind.TEXT, f"Stratum: {factor.name}", width=width)


def _levels(sheet: StudySheet, person: Person) -> Iterator[str | None]:
    return (person.strata.get(factor.name) for factor in sheet.factors)


def _named(variables: list[Variable]) -> list[Variable]:
    """Return the variables, each with a name of its own that fits every format but Stata's."""
    names = fitting([variable.name for variable in variables], LONGEST_NAME)
    return [replace(v, name=name) for v, name in zip(variables, names, strict=True)]


def _widest(texts: Iterable[str]) -> int:
    return max([len(text.encode()) for text in texts], default=1) or 1
