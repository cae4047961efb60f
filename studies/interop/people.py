"""A participant as the writers take them: pseudonym, arm or its mask, visits, forms handed in.

Free text never comes this far: a form only says which of its answers were withheld.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from studies.interop.variables import Absent

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Form:
    """One instrument that was handed in, in its newest revision.

    Parameters
    ----------
    instrument, version, language : str
        What was answered, and in which language it was begun.
    response : str
        Identity of the response, a UUID.
    revision : int
        1, and one more for each correction.
    submitted_at : str
        ISO 8601, UTC.
    rule : str
        Scoring rule.
    answers : mapping
        Item key to value; no key for an item that was not asked.
    absent : mapping
        Item key to the reason why it has no value.
    withheld : tuple of str
        Items with free text, which is not handed on.
    scores : mapping
        Score to value; ``None`` where it cannot be derived.
    """

    instrument: str
    version: str
    language: str
    response: str
    revision: int
    submitted_at: str
    rule: str
    answers: Mapping[str, Value]
    absent: Mapping[str, Absent]
    withheld: tuple[str, ...]
    scores: Mapping[str, float | None]

    def cell(self, key: str) -> Value | Absent:
        """Return the answer to an item, or why there is none."""
        return self.absent.get(key, self.answers.get(key))


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit of a participant; without forms it was missed, or is still to come."""

    week: int
    target_on: date
    forms: tuple[Form, ...]

    def form(self, instrument: str) -> Form | None:
        """Return one instrument of the visit; `None` where it was not handed in."""
        return next((form for form in self.forms if form.instrument == instrument), None)


@dataclass(frozen=True, slots=True)
class Person:
    """One participant; `strata` has the level of each stratification factor."""

    code: str
    arm: str
    strata: Mapping[str, str]
    visits: tuple[VisitRecord, ...]


def to_line(person: Person) -> str:
    """Return a participant as one line of JSON, its end included."""
    return json.dumps(asdict(person), default=date.isoformat, ensure_ascii=False) + "\n"


def from_line(line: str) -> Person:
    """Return the participant of a line that `to_line` wrote."""
    data = json.loads(line)
    visits = tuple(
        VisitRecord(
            week=visit["week"],
            target_on=date.fromisoformat(visit["target_on"]),
            forms=tuple(_form(form) for form in visit["forms"]),
        )
        for visit in data["visits"]
    )
    return Person(data["code"], data["arm"], data["strata"], visits)


def _form(data: dict[str, object]) -> Form:
    absent = {key: Absent(reason) for key, reason in data["absent"].items()}
    return Form(**{**data, "absent": absent, "withheld": tuple(data["withheld"])})
