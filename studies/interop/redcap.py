"""A REDCap project: dictionary, arms, events, their forms, and the records.

Everybody is in REDCap's arm 1, because whoever opens the project sees its arms: the allocation has
a file of its own, and only of an unblinded study. A variable is `<instrument>_<item>`, so that two
instruments may share an item key; the scores of an instrument are a form beside it. Each
instrument's form can be imported here again (``manage.py import_instrument``).

References
----------
REDCap, "Data Dictionary" and "Longitudinal Project Setup" (upload order: arms, events, mapping).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from questionnaires.instruments.instrument import ScoreField
from questionnaires.instruments.redcap import (
    CHOICES,
    FORM,
    HEADER,
    LABEL,
    LEAST,
    MOST,
    NAME,
    NOTE,
    TYPE,
    VALIDATION,
    export_dictionary,
)
from studies.interop.flat import factor_name
from studies.interop.people import Form, Person, VisitRecord
from studies.interop.study_sheet import FactorSheet, InstrumentSheet, StudySheet
from studies.interop.variables import Absent, Cell

ARM_NUMBER = 1
ENROLMENT = "enrolment"
ANNOTATION = HEADER[17]
COMPLETE = 2
ARM_COLUMNS = ("arm_num", "name")
EVENT_COLUMNS = (
    "event_name", "arm_num", "day_offset", "offset_min", "offset_max", "unique_event_name",
    "custom_event_label",
)  # fmt: skip
MAPPING_COLUMNS = ("arm_num", "unique_event_name", "form")
ALLOCATION_COLUMNS = ("record_id", "arm", "is_synthetic")

Row = tuple[Cell, ...]


def dictionary(sheet: StudySheet) -> str:
    """Return the project's data dictionary: CSV, 18 columns."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerow({NAME: "record_id", FORM: ENROLMENT, TYPE: "text", LABEL: "Record ID"})
    writer.writerow(
        {
            NAME: "is_synthetic",
            FORM: ENROLMENT,
            TYPE: "yesno",
            LABEL: "No person stands behind this record",
        }
    )
    for factor in sheet.factors:
        writer.writerow(_factor(factor))
    for form in sheet.instruments:
        text = export_dictionary(form.instrument, form.wording, prefix=f"{form.key}_")
        # Without its header and its record id: the project has one of each.
        writer.writerows(list(csv.DictReader(io.StringIO(text)))[1:])
        writer.writerows(_score(form, score) for score in form.instrument.scores)
    return buffer.getvalue()


def arm_rows() -> list[Row]:
    """Return the one arm of the project, which is no treatment."""
    return [(ARM_NUMBER, "Everybody")]


def event_rows(sheet: StudySheet) -> list[Row]:
    """Return the visits as events with their windows in days."""
    return [
        (
            visit.name, ARM_NUMBER, 7 * visit.week, visit.window_days, visit.window_days,
            event_name(visit.name), None,
        )
        for visit in sheet.visits
    ]  # fmt: skip


def mapping_rows(sheet: StudySheet) -> Iterator[Row]:
    """Yield which form is asked at which event."""
    for visit in sheet.visits:
        for form in (ENROLMENT, *_forms(sheet.at_week(visit.week))):
            yield ARM_NUMBER, event_name(visit.name), form


def record_columns(sheet: StudySheet) -> list[str]:
    """Return the columns of the records."""
    names = ["record_id", "redcap_event_name", "is_synthetic"]
    names += [_factor_key(factor) for factor in sheet.factors] + [f"{ENROLMENT}_complete"]
    for form in sheet.instruments:
        names += [f"{form.key}_{item.key}" for item in form.instrument.items]
        names.append(f"{form.key}_complete")
        names += [_score_key(form, score) for score in form.instrument.scores]
        names.append(f"{form.key}_scores_complete")
    return names


def record_rows(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Row]:
    """Yield a record for every visit of every participant; free text is left empty."""
    events = {visit.week: event_name(visit.name) for visit in sheet.visits}
    for person in people:
        levels = [_level(factor, person.strata.get(factor.name)) for factor in sheet.factors]
        for visit in person.visits:
            cells = [cell for form in sheet.instruments for cell in _cells(form, visit)]
            about = (person.code, events[visit.week], int(sheet.is_synthetic))
            yield (*about, *levels, COMPLETE, *cells)


def allocation_rows(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Row]:
    """Yield who was in which arm; for an unblinded study only."""
    for person in people:
        yield person.code, person.arm, int(sheet.is_synthetic)


def event_name(name: str) -> str:
    """Return the unique name that REDCap makes of an event's."""
    return f"{re.sub(r'[^a-z0-9]', '_', name.lower().replace('-', ''))}_arm_{ARM_NUMBER}"


def _forms(instruments: Iterable[InstrumentSheet]) -> Iterator[str]:
    for form in instruments:
        yield form.key
        yield f"{form.key}_scores"


def _cells(form: InstrumentSheet, visit: VisitRecord) -> Iterator[Cell]:
    filled = visit.form(form.key)
    # Nothing at all, and not "incomplete", where the form was never handed in.
    complete = COMPLETE if filled else None
    for item in form.instrument.items:
        yield _answer(filled, item.key)
    yield complete
    for score in form.instrument.scores:
        yield filled.scores.get(score.name) if filled else None
    yield complete


def _answer(filled: Form | None, key: str) -> Cell:
    if filled is None or key in filled.withheld:
        return None
    cell = filled.cell(key)
    return None if isinstance(cell, Absent) else cell


def _factor(factor: FactorSheet) -> dict[str, str]:
    labels = enumerate(factor.levels, start=1)
    return {
        NAME: _factor_key(factor),
        FORM: ENROLMENT,
        TYPE: "radio",
        LABEL: f"Stratum: {factor.name}",
        CHOICES: " | ".join(f"{code}, {level.replace('|', '/')}" for code, level in labels),
    }


def _factor_key(factor: FactorSheet) -> str:
    name = re.sub(r"[^a-z0-9_]", "_", factor_name(factor).lower())
    return f"stratum_{name}"


def _level(factor: FactorSheet, level: str | None) -> int | None:
    return factor.levels.index(level) + 1 if level in factor.levels else None


def _score(form: InstrumentSheet, score: ScoreField) -> dict[str, str]:
    bounds: Sequence[tuple[str, float | None]] = ((LEAST, score.low), (MOST, score.high))
    return {
        NAME: _score_key(form, score),
        FORM: f"{form.key}_scores",
        TYPE: "text",
        LABEL: f"{form.key.upper()} {score.name.replace('_', ' ')}",
        NOTE: f"({score.unit})" if score.unit else "",
        VALIDATION: "number",
        ANNOTATION: "@READONLY",
        **{column: f"{bound:.15g}" for column, bound in bounds if bound is not None},
    }


def _score_key(form: InstrumentSheet, score: ScoreField) -> str:
    return f"{form.key}_s_{score.name}"
