"""HL7 FHIR R4, one resource a line (NDJSON, as bulk data are exchanged).

A questionnaire per language, a response per form handed in, an observation per score; a patient is
a pseudonym and nothing else. The instruments have canonical names of our own: no LOINC panel of the
PSQI was found, the Chinese scale of 14 items is not the PSS-10 that LOINC knows, and a code is not
to be made up. Values are as answered, not reversed.

References
----------
HL7, FHIR R4 (4.0.1): Questionnaire, QuestionnaireResponse, Observation, ResearchSubject.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from questionnaires.instruments.instrument import Item, Kind
from questionnaires.instruments.wording import Wording
from studies.interop.people import Form, Person
from studies.interop.study_sheet import InstrumentSheet, StudySheet
from studies.interop.variables import Absent

BASE = "urn:nocturne"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ABSENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
REASONS = {Absent.DECLINED: "asked-declined", Absent.SKIPPED: "asked-unknown"}
MASKED = "masked"
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
TYPES = {
    Kind.CHOICE: ("choice", "valueCoding"),
    Kind.TIME: ("time", "valueTime"),
    Kind.MINUTES: ("decimal", "valueDecimal"),
    Kind.HOURS_MINUTES: ("decimal", "valueDecimal"),
    Kind.NUMBER: ("decimal", "valueDecimal"),
    Kind.COUNT: ("integer", "valueInteger"),
    Kind.WHOLE_NUMBER: ("integer", "valueInteger"),
    Kind.TEXT: ("text", "valueString"),
    Kind.DATE: ("date", "valueDate"),
}

Resource = dict[str, Any]


def lines(resources: Iterable[Resource]) -> Iterator[str]:
    """Yield each resource as a line of JSON."""
    for resource in resources:
        yield json.dumps(resource, ensure_ascii=False, separators=(",", ":")) + "\n"


def studies(sheet: StudySheet) -> Iterator[Resource]:
    """Yield the study."""
    yield _tagged(
        sheet,
        {
            "resourceType": "ResearchStudy",
            "id": _id(sheet.code),
            "identifier": [{"system": f"{BASE}:study", "value": sheet.code}],
            "title": sheet.title,
            "status": "active" if sheet.is_blinded else "completed",
        },
    )


def patients(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Resource]:
    """Yield a patient for every pseudonym."""
    for person in people:
        identifier = {"system": f"{BASE}:study:{sheet.code}", "value": person.code}
        yield _tagged(
            sheet, {"resourceType": "Patient", "id": person.code, "identifier": [identifier]}
        )


def subjects(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Resource]:
    """Yield everybody's part in the study, with the arm or its mask."""
    for person in people:
        yield _tagged(
            sheet,
            {
                "resourceType": "ResearchSubject",
                "id": f"subject-{person.code}",
                "status": "on-study" if sheet.is_blinded else "off-study",
                "study": {"reference": f"ResearchStudy/{_id(sheet.code)}"},
                "individual": _subject(person),
                "assignedArm": person.arm,
            },
        )


def questionnaires(sheet: StudySheet) -> Iterator[Resource]:
    """Yield every instrument in every language."""
    for form in sheet.instruments:
        for wording in form.wordings:
            items = [_question(form, wording, item) for item in form.instrument.items]
            yield {
                "resourceType": "Questionnaire",
                "id": _id(f"{form.key}-{form.instrument.version}-{wording.language}"),
                "url": canonical(form.key),
                "version": form.instrument.version,
                "name": form.key,
                "title": wording.title,
                "status": "active",
                "language": wording.language,
                "subjectType": ["Patient"],
                "item": items,
            }


def responses(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Resource]:
    """Yield every form that was handed in, in its newest revision."""
    for person, form, filled in _filled(sheet, people):
        yield _tagged(
            sheet,
            {
                "resourceType": "QuestionnaireResponse",
                "id": filled.response,
                "language": filled.language,
                "questionnaire": f"{canonical(form.key)}|{filled.version}",
                "status": "completed" if filled.revision == 1 else "amended",
                "subject": _subject(person),
                "authored": filled.submitted_at,
                "item": list(_answers(form, filled)),
            },
        )


def observations(sheet: StudySheet, people: Iterable[Person]) -> Iterator[Resource]:
    """Yield every score, or that it cannot be derived."""
    for person, form, filled in _filled(sheet, people):
        for place, score in enumerate(form.instrument.scores, start=1):
            value = filled.scores.get(score.name)
            yield _tagged(
                sheet,
                {
                    "resourceType": "Observation",
                    "id": f"{filled.response}-{place}",
                    "status": "final" if filled.revision == 1 else "amended",
                    "code": {
                        "coding": [
                            {"system": f"{BASE}:score:{form.key}", "code": score.name},
                        ],
                        "text": f"{form.key.upper()} {score.name.replace('_', ' ')}",
                    },
                    "subject": _subject(person),
                    "effectiveDateTime": filled.submitted_at,
                    "method": {"text": filled.rule},
                    "derivedFrom": [{"reference": f"QuestionnaireResponse/{filled.response}"}],
                    **_quantity(value, score.unit),
                },
            )


def canonical(instrument: str) -> str:
    """Return the canonical name of an instrument."""
    return f"{BASE}:questionnaire:{instrument}"


def _filled(
    sheet: StudySheet, people: Iterable[Person]
) -> Iterator[tuple[Person, InstrumentSheet, Form]]:
    for person in people:
        for visit in person.visits:
            for form in sheet.at_week(visit.week):
                filled = visit.form(form.key)
                if filled is not None:
                    yield person, form, filled


def _question(form: InstrumentSheet, wording: Wording, item: Item) -> Resource:
    kind, _value = TYPES[item.kind]
    question: Resource = {
        "linkId": item.key,
        "text": wording.items[item.key].label,
        "type": kind,
        "required": item.required,
    }
    if item.choices:
        question["answerOption"] = [
            {"valueCoding": _coding(form, item, code, label)}
            for code, label in wording.choices(item)
        ]
    if item.kind is Kind.TEXT:
        question["maxLength"] = int(item.high or 0)
    if item.asked_if:
        question |= _condition(form, item.asked_if)
    return question


def _condition(form: InstrumentSheet, key: str) -> Resource:
    """Return that an item is asked when an earlier answer is neither blank nor zero."""
    conditions: list[Resource] = [{"question": key, "operator": "exists", "answerBoolean": True}]
    earlier = form.instrument.item(key)
    if earlier.choices and 0 in earlier.choices:
        zero = {"system": _scale(form, earlier), "code": "0"}
        conditions.append({"question": key, "operator": "!=", "answerCoding": zero})
    if len(conditions) == 1:
        return {"enableWhen": conditions}
    return {"enableWhen": conditions, "enableBehavior": "all"}


def _answers(form: InstrumentSheet, filled: Form) -> Iterator[Resource]:
    for item in form.instrument.items:
        cell = filled.cell(item.key)
        if item.key in filled.withheld:
            yield {"linkId": item.key, "extension": [_absent(MASKED)]}
        elif isinstance(cell, Absent):
            yield {"linkId": item.key, "extension": [_absent(REASONS[cell])]}
        elif cell is not None:
            _kind, name = TYPES[item.kind]
            yield {"linkId": item.key, "answer": [{name: _value(form, item, cell)}]}


def _value(form: InstrumentSheet, item: Item, cell: str | int | float) -> Any:
    if item.kind is Kind.CHOICE:
        # An older version of an imported instrument may have had another code.
        label = dict(form.wording.choices(item)).get(int(cell), str(cell))
        return _coding(form, item, int(cell), label)
    return f"{cell}:00" if item.kind is Kind.TIME else cell


def _coding(form: InstrumentSheet, item: Item, code: int, label: str) -> Resource:
    return {"system": _scale(form, item), "code": str(code), "display": label}


def _scale(form: InstrumentSheet, item: Item) -> str:
    return f"{BASE}:scale:{form.key}:{item.scale}"


def _quantity(value: float | None, unit: str) -> Resource:
    if value is None:
        coding = [{"system": ABSENT_SYSTEM, "code": "unknown"}]
        return {"dataAbsentReason": {"coding": coding}}
    return {"valueQuantity": {"value": value} | ({"unit": unit} if unit else {})}


def _absent(reason: str) -> Resource:
    return {"url": ABSENT, "valueCode": reason}


def _subject(person: Person) -> Resource:
    return {"reference": f"Patient/{person.code}"}


def _id(text: str) -> str:
    """Return a text as an id: letters, digits, dashes and dots, at most 64."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in text)[:64]


def _tagged(sheet: StudySheet, resource: Resource) -> Resource:
    """Return a resource that says of itself when no person stands behind it."""
    return resource | {"meta": {"tag": [TEST_DATA]}} if sheet.is_synthetic else resource
