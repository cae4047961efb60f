"""The same people in the formats of other programs: each is written as its people are read."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from studies.design.bundle import Bundle
from studies.design.export_tables import TABLES, Column
from studies.interop import fhir, odm, redcap
from studies.interop.datapackage import Resource, datapackage, field_of
from studies.interop.flat import long_rows, long_variables, wide_rows, wide_variables
from studies.interop.spss import sav
from studies.interop.stata import dta
from studies.interop.study_sheet import StudySheet
from studies.interop.variables import Absent, Cell, Variable
from studies.services.results.export_people import People

LONG, WIDE = "long", "wide"
FIELD_TYPES = {
    "text": "string", "whole number": "integer", "number": "number", "date": "date",
    "time": "datetime", "time of day": "string", "0 or 1": "integer", "see codebook": "string",
}  # fmt: skip


def write_formats(bundle: Bundle, sheet: StudySheet, people: People) -> None:
    """Write the flat tables and every format."""
    _write_flat(bundle, sheet, people)
    _write_redcap(bundle, sheet, people)
    bundle.chunks("odm.xml", _encoded(odm.odm(sheet, people)))
    _write_fhir(bundle, sheet, people)
    bundle.text("datapackage.json", datapackage(sheet, _resources(bundle, sheet)))


def _write_flat(bundle: Bundle, sheet: StudySheet, people: People) -> None:
    shapes: dict[str, tuple[Sequence[Variable], int, Callable[..., Iterator[Sequence[Cell]]]]] = {
        LONG: (long_variables(sheet), people.n_visits, long_rows),
        WIDE: (wide_variables(sheet), people.n_people, wide_rows),
    }
    for name, (variables, n_rows, rows) in shapes.items():
        columns = [variable.name for variable in variables]
        bundle.table(f"{name}.csv", columns, map(_plain, rows(sheet, people)))
        for folder, write in (("spss", sav), ("stata", dta)):
            title = f"Nocturne {sheet.code}, {name}"
            chunks = write(variables, n_rows, rows(sheet, people), title=title, at=sheet.cut_at)
            bundle.chunks(f"{folder}/{name}.{write.__name__}", chunks)


def _write_redcap(bundle: Bundle, sheet: StudySheet, people: People) -> None:
    bundle.text("redcap/dictionary.csv", redcap.dictionary(sheet))
    tables = {
        "arms": (redcap.ARM_COLUMNS, redcap.arm_rows()),
        "events": (redcap.EVENT_COLUMNS, redcap.event_rows(sheet)),
        "event_mapping": (redcap.MAPPING_COLUMNS, redcap.mapping_rows(sheet)),
        "records": (redcap.record_columns(sheet), redcap.record_rows(sheet, people)),
    }
    if not sheet.is_blinded:
        rows = redcap.allocation_rows(sheet, people)
        tables["allocation"] = (redcap.ALLOCATION_COLUMNS, rows)
    for name, (columns, rows) in tables.items():
        bundle.table(f"redcap/{name}.csv", columns, rows)


def _write_fhir(bundle: Bundle, sheet: StudySheet, people: People) -> None:
    resources = {
        "ResearchStudy": fhir.studies(sheet),
        "ResearchSubject": fhir.subjects(sheet, people),
        "Patient": fhir.patients(sheet, people),
        "Questionnaire": fhir.questionnaires(sheet),
        "QuestionnaireResponse": fhir.responses(sheet, people),
        "Observation": fhir.observations(sheet, people),
    }
    for name, found in resources.items():
        bundle.chunks(f"fhir/{name}.ndjson", _encoded(fhir.lines(found)))


def _resources(bundle: Bundle, sheet: StudySheet) -> Iterator[Resource]:
    flat = {
        LONG: (long_variables(sheet), ("participant", "week")),
        WIDE: (wide_variables(sheet), ("participant",)),
    }
    for name, (variables, key) in flat.items():
        path = f"{name}.csv"
        fields = [field_of(variable) for variable in variables]
        yield Resource(path, f"One row a {', '.join(key)}", fields, key, bundle.digest(path))
    for path, columns in TABLES.items():
        yield Resource(path, path, [_field(c) for c in columns], (), bundle.digest(path))


def _field(column: Column) -> dict[str, object]:
    field: dict[str, object] = {
        "name": column.name, "type": FIELD_TYPES[column.kind], "title": column.meaning,
    }  # fmt: skip
    if column.unit:
        field["unit"] = column.unit
    if column.kind == "0 or 1":
        field["constraints"] = {"enum": [0, 1]}
    return field


def _plain(row: Sequence[Cell]) -> Sequence[Cell]:
    """Return a row for a CSV file, where an absent answer is an empty field whatever the reason."""
    return [None if isinstance(cell, Absent) else cell for cell in row]


def _encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    return (piece.encode() for piece in pieces)
