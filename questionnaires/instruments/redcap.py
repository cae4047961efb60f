"""REDCap data dictionaries: their columns, and any instrument out as a form.

The introduction and the stem stand in the section header of the first field, each in a block with
its name, so that the recall period is read in REDCap and comes back with ``redcap_import``.
"""

import csv
import io
import re
from html import escape

from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.wording import ItemWording, Wording

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

LONGEST_TEXT = 500
HEADER_BLOCK = re.compile(r'<div class="(introduction|stem)">(.*?)</div>', re.DOTALL)


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


def ends_in_words(ends: str) -> str:
    """Return a slider's labels, divided by bars, the way its hint says them."""
    return re.sub(r"\s+", " ", ends.replace("|", " \N{EN DASH} ")).strip()


def _section(wording: Wording) -> str:
    """Return the introduction and the stem as blocks of a section header."""
    blocks = {"introduction": wording.introduction, "stem": wording.stem}
    return "".join(
        f'<div class="{name}">{escape(text, quote=False)}</div>'
        for name, text in blocks.items()
        if text
    )


def _exported(
    instrument: Instrument, item: Item, wording: Wording, prefix: str
) -> dict[str, object]:
    words = wording.items[item.key]
    row = {
        NAME: f"{prefix}{item.key}",
        FORM: instrument.key,
        SECTION: _section(wording) if item == instrument.items[0] else "",
        TYPE: "text",
        LABEL: words.label,
        NOTE: _note(item, words, wording.language),
        VALIDATION: "" if item.is_slider else EXPORTED_VALIDATIONS.get(item.kind, ""),
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
    if item.is_slider:
        row[TYPE], row[CHOICES] = "slider", words.ends
    return row


def _note(item: Item, words: ItemWording, language: str) -> str:
    hint = words.hint
    if item.is_slider and words.ends:
        # The labels of the slider say it in REDCap.
        hint = hint.removesuffix(ends_in_words(words.ends)).strip()
    units = UNIT_NOTES.get(language, UNIT_NOTES["en"])
    between = "" if language in WRITTEN_WITHOUT_SPACES else " "
    return between.join(filter(None, [hint, units.get(item.kind, "")]))


def _logic(item: Item, prefix: str) -> str:
    parts = []
    if item.asked_if:
        parts.append(f"[{item.asked_if}] <> '' and [{item.asked_if}] <> '0'")
    if item.asked_when:
        parts.append(f"({item.asked_when})" if parts else str(item.asked_when))
    return re.sub(r"\[(?=[a-z])", f"[{prefix}", " and ".join(parts))


UNIT_NOTES = {
    "en": {Kind.MINUTES: "(minutes)", Kind.HOURS_MINUTES: "(hours)"},
    "zh-hans": {
        Kind.MINUTES: "\N{FULLWIDTH LEFT PARENTHESIS}分钟\N{FULLWIDTH RIGHT PARENTHESIS}",
        Kind.HOURS_MINUTES: "\N{FULLWIDTH LEFT PARENTHESIS}小时\N{FULLWIDTH RIGHT PARENTHESIS}",
    },
}
WRITTEN_WITHOUT_SPACES = ("zh-hans",)
EXPORTED_VALIDATIONS = {
    Kind.TIME: "time",
    Kind.DATE: "date_ymd",
    Kind.MINUTES: "number",
    Kind.HOURS_MINUTES: "number",
    Kind.NUMBER: "number",
    Kind.COUNT: "integer",
    Kind.WHOLE_NUMBER: "integer",
}
