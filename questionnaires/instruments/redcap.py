"""REDCap data dictionaries: one form in as an instrument, any instrument out as a form.

Read are text fields (plain, integer, number, time, date), notes, radio, dropdown, yes-no,
true-false, slider and descriptive ones, with the branching subset of ``branching``. Left out and
said are the record id and calculated fields: a score is declared in a scoring file. Refused with
their line are checkboxes, files, queries, identifiers and every other validation.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from questionnaires.instruments.branching import compiled
from questionnaires.instruments.declared import N_ANSWERED, field_of
from questionnaires.instruments.errors import DictionaryRefused, InstrumentError
from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.scoring_file import Scoring, read_scoring
from questionnaires.instruments.wording import Wording

HEADER = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
NAME, FORM, SECTION, TYPE, LABEL, CHOICES, NOTE, VALIDATION, LEAST, MOST, IDENTIFIER, LOGIC = (
    HEADER[:12]
)
REQUIRED, MATRIX = HEADER[12], HEADER[15]

KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
TAG = re.compile(r"<[^>]*>")
CHOICE = re.compile(r"\s*(-?\d{1,6})\s*,\s*(.*?)\s*", re.DOTALL)
VALIDATIONS = {
    "": Kind.TEXT,
    "integer": Kind.WHOLE_NUMBER,
    "number": Kind.NUMBER,
    **{f"number_{places}dp": Kind.NUMBER for places in range(1, 5)},
    "time": Kind.TIME,
    **{f"date_{order}": Kind.DATE for order in ("ymd", "mdy", "dmy")},
}
YES_NO = {"yesno": "1, Yes | 0, No", "truefalse": "1, True | 0, False"}
LONGEST_TEXT = 500
LONGEST_NOTES = 5000
GREATEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Imported:
    """An instrument from a dictionary, its words as a wording's content, and what was left out."""

    instrument: Instrument
    content: dict[str, object]
    notes: tuple[str, ...]


@dataclass
class _Reading:
    """What has been read of a form so far."""

    items: dict[str, Item] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    said_before: list[str] = field(default_factory=list)


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
    rows = _rows(data)
    chosen = _form_of(rows, form)
    reading = _Reading()
    for line, row in rows:
        if row[FORM] == chosen:
            _read(line, row, reading, is_first=line == rows[0][0])
    if not reading.items and not reading.problems:
        reading.problems.append(f"expected questions in the form {chosen}, got none.")
    if reading.problems:
        raise DictionaryRefused(" ".join(reading.problems))
    declared = read_scoring(scoring, reading.items) if scoring else Scoring()
    return Imported(
        instrument=_instrument(key, version, reading, declared),
        content={
            "instrument": key,
            "version": version,
            "language": language,
            "title": chosen.replace("_", " ").capitalize(),
            "introduction": "",
            "stem": "",
            "items": reading.words,
            "scales": reading.labels,
        },
        notes=tuple(reading.notes),
    )


def export_dictionary(instrument: Instrument, wording: Wording, *, prefix: str = "") -> str:
    """Return an instrument as a data dictionary of one form, in CSV with 18 columns.

    Parameters
    ----------
    instrument : Instrument
        Minutes, hours and counts become numbers, a condition becomes branching logic.
    wording : Wording
        The words of the fields and choices.
    prefix : str
        Before every variable, where two instruments of a project share an item key.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerow({NAME: "record_id", FORM: instrument.key, TYPE: "text", LABEL: "Record ID"})
    for item in instrument.items:
        writer.writerow(_exported(instrument, item, wording, prefix))
    return buffer.getvalue()


def _rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        if header != list(HEADER):
            raise DictionaryRefused(_about_header(header))
        rows, begins = [], reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                _refuse_ragged(begins, cells)
                rows.append((begins, dict(zip(HEADER, map(str.strip, cells), strict=True))))
            begins = reader.line_num + 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise DictionaryRefused(
            f"expected a CSV in UTF-8, got {error}. Save it as such."
        ) from error
    if not rows:
        raise DictionaryRefused("expected fields below the header, got none.")
    return rows


def _about_header(header: list[str]) -> str:
    absent = [name for name in HEADER if name not in header]
    unknown = [name for name in header if name not in HEADER]
    return (
        f"expected the {len(HEADER)} columns of a REDCap data dictionary in their order; "
        f"missing: {'; '.join(absent) or 'none'}; unknown: {'; '.join(unknown) or 'none'}. "
        "Download the dictionary again."
    )


def _refuse_ragged(line: int, cells: list[str]) -> None:
    if len(cells) != len(HEADER):
        raise DictionaryRefused(
            f"line {line}: expected {len(HEADER)} cells, got {len(cells)}. Check its quotes."
        )


def _form_of(rows: list[tuple[int, dict[str, str]]], form: str) -> str:
    # The record id stands first and belongs to whatever form comes first.
    forms = list(dict.fromkeys(row[FORM] for _, row in rows[1:])) or [rows[0][1][FORM]]
    if form in forms or (not form and len(forms) == 1):
        return form or forms[0]
    raise DictionaryRefused(
        f"expected the name of one form ({', '.join(forms)}), got {form or 'none'!r}."
    )


def _read(line: int, row: Mapping[str, str], reading: _Reading, *, is_first: bool) -> None:
    kind = row[TYPE]
    if is_first and kind == "text" and not row[VALIDATION]:
        reading.notes.append(f"line {line}: {row[NAME]} is the record id and was left out.")
    elif kind == "calc":
        reading.notes.append(
            f"line {line}: {row[NAME]} is calculated and was left out; declare it as a score."
        )
    elif kind == "descriptive":
        reading.said_before.append(_plain(row[LABEL]))
    else:
        try:
            _add(row, reading)
        except InstrumentError as error:
            reading.problems.append(f"line {line}: {error}")


def _add(row: Mapping[str, str], reading: _Reading) -> None:
    key = row[NAME]
    if not KEY.fullmatch(key):
        raise DictionaryRefused(f"expected a name of a-z, 0-9 and _, got {key!r}.")
    if key in reading.items:
        raise DictionaryRefused(f"expected one field {key}, got two. Rename one.")
    if row[IDENTIFIER].lower() == "y":
        raise DictionaryRefused(
            f"{key}: expected no identifier, got one. Contact data have their own place."
        )
    if not _plain(row[LABEL]):
        raise DictionaryRefused(f"{key}: expected a label, got none. Write it.")
    reading.items[key] = _item(row, reading)
    hint = " ".join([*reading.said_before, _plain(row[SECTION]), _hint(row)]).strip()
    reading.said_before.clear()
    reading.words[key] = {"label": _plain(row[LABEL])} | ({"hint": hint} if hint else {})


def _item(row: Mapping[str, str], reading: _Reading) -> Item:
    key, kind = row[NAME], row[TYPE]
    options: dict[str, object] = {
        "required": row[REQUIRED].lower() == "y",
        "asked_when": compiled(row[LOGIC]) if row[LOGIC] else None,
    }
    if kind in ("radio", "dropdown", *YES_NO):
        labels = _choices(key, YES_NO.get(kind, row[CHOICES]))
        scale = _scale_of(row[MATRIX] or key, labels, reading.labels)
        return Item(key, Kind.CHOICE, choices=tuple(map(int, labels)), scale=scale, **options)
    if kind == "notes":
        return Item(key, Kind.TEXT, low=0, high=LONGEST_NOTES, **options)
    if kind == "slider":
        least, most = _bound(row, LEAST, 0), _bound(row, MOST, 100)
        return Item(key, Kind.WHOLE_NUMBER, low=least, high=most, **options)
    if kind != "text":
        raise DictionaryRefused(
            f"{key}: expected text, notes, radio, dropdown, yesno, truefalse, slider, calc or "
            f"descriptive, got {kind!r}. Ask it in one of those ways, or leave it out."
        )
    return _text_item(row, options)


def _text_item(row: Mapping[str, str], options: dict[str, object]) -> Item:
    key, kind = row[NAME], VALIDATIONS.get(row[VALIDATION])
    if kind is None:
        raise DictionaryRefused(
            f"{key}: expected a validation among {', '.join(filter(None, VALIDATIONS))} or none, "
            f"got {row[VALIDATION]!r}."
        )
    if kind is Kind.TEXT:
        return Item(key, kind, low=0, high=LONGEST_TEXT, **options)
    if kind in (Kind.TIME, Kind.DATE):
        return Item(key, kind, **options)
    least, most = _bound(row, LEAST, -GREATEST), _bound(row, MOST, GREATEST)
    return Item(key, kind, low=least, high=most, **options)


def _choices(key: str, text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for choice in text.split("|"):
        match = CHOICE.fullmatch(choice)
        label = _plain(match[2]) if match else ""
        if not label:
            raise DictionaryRefused(
                f"{key}: expected choices like 0, No | 1, Yes with whole numbers, "
                f"got {choice.strip()!r}."
            )
        if (code := str(int(match[1]))) in labels:
            raise DictionaryRefused(f"{key}: expected each code once, got {code} twice.")
        labels[code] = label
    return labels


def _scale_of(name: str, labels: dict[str, str], known: dict[str, dict[str, str]]) -> str:
    """Return the scale with these labels; one name stands for one set."""
    for scale, others in known.items():
        if list(others.items()) == list(labels.items()):
            return scale
    free = name if name not in known else f"{name}_{len(known)}"
    known[free] = labels
    return free


def _bound(row: Mapping[str, str], column: str, default: int) -> float:
    text = row[column]
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        raise DictionaryRefused(
            f"{row[NAME]}: expected a number as {column}, got {text!r}."
        ) from None
    return int(number) if number.is_integer() else number


def _hint(row: Mapping[str, str]) -> str:
    ends = row[CHOICES].replace("|", " \N{EN DASH} ") if row[TYPE] == "slider" else ""
    return " ".join(filter(None, [_plain(row[NOTE]), re.sub(r"\s+", " ", ends).strip()]))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", TAG.sub(" ", text)).strip()


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


def _exported(
    instrument: Instrument, item: Item, wording: Wording, prefix: str
) -> dict[str, object]:
    words = wording.items[item.key]
    row = {
        NAME: f"{prefix}{item.key}",
        FORM: instrument.key,
        TYPE: "text",
        LABEL: words.label,
        NOTE: " ".join(filter(None, [words.hint, NOTES.get(item.kind, "")])),
        VALIDATION: EXPORTED_VALIDATIONS.get(item.kind, ""),
        LOGIC: _logic(item, prefix),
        REQUIRED: "y" if item.required else "",
    }
    if item.kind is Kind.CHOICE:
        row[TYPE] = "radio"
        row[CHOICES] = " | ".join(
            f"{code}, {label.replace('|', '/')}" for code, label in wording.choices(item)
        )
    elif item.kind is Kind.TEXT:
        row[TYPE] = "notes" if item.high > LONGEST_TEXT else "text"
    elif item.low is not None:
        row[LEAST], row[MOST] = f"{item.low:.15g}", f"{item.high:.15g}"
    return row


def _logic(item: Item, prefix: str) -> str:
    parts = []
    if item.asked_if:
        parts.append(f"[{item.asked_if}] <> '' and [{item.asked_if}] <> '0'")
    if item.asked_when:
        parts.append(f"({item.asked_when})" if parts else str(item.asked_when))
    return re.sub(r"\[(?=[a-z])", f"[{prefix}", " and ".join(parts))


NOTES = {Kind.MINUTES: "(minutes)", Kind.HOURS_MINUTES: "(hours)"}
EXPORTED_VALIDATIONS = {
    Kind.TIME: "time",
    Kind.DATE: "date_ymd",
    Kind.MINUTES: "number",
    Kind.HOURS_MINUTES: "number",
    Kind.NUMBER: "number",
    Kind.COUNT: "integer",
    Kind.WHOLE_NUMBER: "integer",
}
