"""One form of a REDCap data dictionary in, as an instrument with its words.

Read are text fields (plain, integer, number, time, date), notes, radio, dropdown, yes-no,
true-false, slider and descriptive ones, with the branching subset of ``branching``. Left out and
said are the record id and calculated fields: a score is declared in a scoring file. Refused with
their line are checkboxes, files, queries, identifiers, every other validation, words that an
encoding spoilt, and conditions that contradict the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape

from questionnaires.instruments.branching import Condition, compiled
from questionnaires.instruments.conditions import contradictions
from questionnaires.instruments.declared import N_ANSWERED, field_of
from questionnaires.instruments.errors import DictionaryRefused, InstrumentError
from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.redcap import (
    CHOICES,
    FORM,
    HEADER_BLOCK,
    IDENTIFIER,
    LABEL,
    LOGIC,
    NAME,
    NOTE,
    SECTION,
    TYPE,
    VALIDATION,
    ends_in_words,
)
from questionnaires.instruments.redcap_fields import item_of, plain
from questionnaires.instruments.redcap_rows import Problem, Row, all_of, form_of, rows_of
from questionnaires.instruments.scoring_file import Scoring, read_scoring

KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Stands for a field that was refused, so that its score is not refused for want of it.
REFUSED_FIELD = Item("refused", Kind.WHOLE_NUMBER, low=0, high=1)


@dataclass(frozen=True, slots=True)
class Imported:
    """An instrument from a dictionary, its words as a wording's content, and what was left out."""

    instrument: Instrument
    content: dict[str, object]
    notes: tuple[str, ...]


@dataclass
class _Reading:
    """What has been read of a form so far; problems stand with their line."""

    language: str
    items: dict[str, Item] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    said_before: list[str] = field(default_factory=list)

    def refuse(self, line: int, about: str) -> None:
        self.problems.append((line, about))


def import_dictionary(
    data: bytes, *, key: str, version: str, language: str, form: str = "", scoring: bytes = b""
) -> Imported:
    """Return one form of a data dictionary as an instrument.

    Parameters
    ----------
    data : bytes
        The dictionary as REDCap downloads it: CSV in UTF-8, 18 columns.
    key, version : str
        What the instrument will be called here.
    language : str
        In which its labels are written.
    form : str
        Which form; may be left out where there is only one with questions.
    scoring : bytes
        A scoring file; without one the instrument is stored and not scored.

    Raises
    ------
    DictionaryRefused
        With everything that is wrong, each with its line.
    """
    rows, problems = rows_of(data)
    chosen = form_of(rows, form)
    reading = _Reading(language, problems=problems)
    for row in rows:
        if row[FORM] == chosen:
            _read(row, reading, is_first=row is rows[0])
    _check_conditions(reading, {row[NAME] for row in rows})
    declared, about_scores = _declared(scoring, reading)
    if not reading.lines and not reading.problems:
        raise DictionaryRefused(f"expected questions in the form {chosen}, got none.")
    if reading.problems or about_scores:
        raise DictionaryRefused(f"{all_of(reading.problems)}\n{about_scores}".strip())
    return Imported(
        instrument=_instrument(key, version, reading, declared),
        content={
            "instrument": key,
            "version": version,
            "language": language,
            "title": chosen.replace("_", " ").capitalize(),
            "introduction": reading.heads.get("introduction", ""),
            "stem": reading.heads.get("stem", ""),
            "items": reading.words,
            "scales": reading.labels,
        },
        notes=tuple(reading.notes),
    )


def _read(row: Row, reading: _Reading, *, is_first: bool) -> None:
    kind, line = row[TYPE], row.line
    if is_first and kind == "text" and not row[VALIDATION]:
        reading.left_out[row[NAME]] = line
        reading.notes.append(f"line {line}: {row[NAME]} is the record id and was left out.")
    elif kind == "calc":
        reading.left_out[row[NAME]] = line
        reading.notes.append(
            f"line {line}: {row[NAME]} is calculated and was left out; declare it as a score."
        )
    else:
        for problem in row.spoilt:
            reading.refuse(line, problem)
        if kind == "descriptive":
            reading.left_out[row[NAME]] = line
            reading.said_before.append(plain(row[LABEL]))
        else:
            _add(row, reading)


def _add(row: Row, reading: _Reading) -> None:
    """Read one question; everything that is wrong with it becomes a problem of its own."""
    key = row[NAME]
    problems = list(_about_field(row, reading))
    condition = item = None
    try:
        item = item_of(row, reading.labels, reading.language)
    except InstrumentError as error:
        problems.append(str(error))
    try:
        condition = compiled(row[LOGIC]) if row[LOGIC] else None
    except InstrumentError as error:
        problems.append(f"{key}: {error}")
    for problem in problems:
        reading.refuse(row.line, problem)
    if key in reading.lines:
        return
    reading.lines[key] = row.line
    if condition is not None:
        reading.conditions[key] = condition
    if not problems:
        reading.words[key] = _words(row, reading)
        reading.items[key] = replace(item, asked_when=condition)


def _about_field(row: Row, reading: _Reading) -> Iterator[str]:
    key = row[NAME]
    if not KEY.fullmatch(key):
        yield f"expected a name of a-z, 0-9 and _, got {key!r}."
    if key in reading.lines:
        yield (
            f"expected one field {key}, got two (the other on line {reading.lines[key]}). "
            "Rename one."
        )
    if row[IDENTIFIER].lower() == "y":
        yield f"{key}: expected no identifier, got one. Contact data have their own place."
    if not plain(row[LABEL]):
        yield f"{key}: expected a label, got none. Write it."


def _words(row: Row, reading: _Reading) -> dict[str, str]:
    section = row[SECTION]
    if not reading.items:
        reading.heads |= {
            name: unescape(plain(text)) for name, text in HEADER_BLOCK.findall(section)
        }
        section = HEADER_BLOCK.sub(" ", section)
    ends = plain(row[CHOICES]) if row[TYPE] == "slider" else ""
    parts = [*reading.said_before, plain(section), plain(row[NOTE]), ends_in_words(ends)]
    reading.said_before.clear()
    words = {"label": plain(row[LABEL]), "hint": " ".join(filter(None, parts)), "ends": ends}
    return {name: text for name, text in words.items() if text}


def _check_conditions(reading: _Reading, every_name: set[str]) -> None:
    """Look at each condition with what stands above it; what it contradicts becomes a problem."""
    seen: set[str] = set()
    above: dict[str, Item] = {}
    for key, line in reading.lines.items():
        problems = _about_condition(key, reading, seen, above, every_name)
        for problem in problems:
            reading.refuse(line, f"{key}: {problem}")
        seen.add(key)
        if item := reading.items.get(key):
            # A condition that was refused says nothing about those that rest on its item.
            above[key] = replace(item, asked_when=None) if problems else item


def _about_condition(
    key: str, reading: _Reading, seen: set[str], above: dict[str, Item], every_name: set[str]
) -> list[str]:
    condition = reading.conditions.get(key)
    if condition is None:
        return []
    strays = [
        _about_stray(stray, key, reading, every_name) for stray in sorted(condition.keys - seen)
    ]
    order = (
        f"expected a condition on earlier fields, got {'; '.join(strays)}. "
        "Move it, or correct the name."
    )
    return [*([order] if strays else []), *contradictions(condition, above)]


def _about_stray(stray: str, key: str, reading: _Reading, every_name: set[str]) -> str:
    if stray == key:
        return f"{key} itself"
    if stray in reading.lines:
        later = f"{stray}, which comes later (line {reading.lines[stray]})"
        other = reading.conditions.get(stray)
        return f"{later} and depends on {key}" if other and key in other.keys else later
    if stray in reading.left_out:
        return f"{stray}, which is no question (line {reading.left_out[stray]})"
    if stray in every_name:
        return f"{stray}, which is a field of another form"
    return f"{stray}, which the dictionary does not have"


def _declared(scoring: bytes, reading: _Reading) -> tuple[Scoring, str]:
    """Return what the scoring file declares, and what is wrong with it."""
    if not scoring:
        return Scoring(), ""
    try:
        items = dict.fromkeys(reading.lines, REFUSED_FIELD) | reading.items
        return read_scoring(scoring, items), ""
    except DictionaryRefused as error:
        return Scoring(), str(error)


def _instrument(key: str, version: str, reading: _Reading, scoring: Scoring) -> Instrument:
    return Instrument(
        key=key,
        version=version,
        items=tuple(reading.items.values()),
        rule_ids=(scoring.rule_id,),
        scores=(*(field_of(scale, reading.items) for scale in scoring.declared), N_ANSWERED),
        missing_rule=_missing_rule(scoring),
        source=scoring.source,
        declared=scoring.declared,
    )


def _missing_rule(scoring: Scoring) -> str:
    parts = [
        f"{scale.name} is missing when more than {scale.missing_allowed} of its "
        f"{len(scale.items)} items are"
        for scale in scoring.declared
    ]
    return "; ".join(parts) + "." if parts else "Nothing is scored."
