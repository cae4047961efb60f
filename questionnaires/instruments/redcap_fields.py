"""One row of a data dictionary as an item: which field type and validation is which kind."""

import math
import re

from questionnaires.instruments.errors import DictionaryRefused
from questionnaires.instruments.instrument import Item, Kind
from questionnaires.instruments.redcap import (
    CHOICES,
    LEAST,
    LONGEST_TEXT,
    MATRIX,
    MOST,
    NAME,
    REQUIRED,
    TYPE,
    VALIDATION,
)
from questionnaires.instruments.redcap_rows import Row

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
# REDCap itself words these two; a Chinese installation of it shows them in Chinese.
YES_NO = {"yesno": "1, Yes | 0, No", "truefalse": "1, True | 0, False"}
YES_NO_CHINESE = {"yesno": "1, 是 | 0, 否", "truefalse": "1, 对 | 0, 错"}
LONGEST_NOTES = 5000
GREATEST = 1_000_000


def item_of(row: Row, labels_by_scale: dict[str, dict[str, str]], language: str) -> Item:
    """Return the item that a field becomes; the labels of its choices join the others.

    Parameters
    ----------
    row : Row
        Of a question, not of a calculated or descriptive field.
    labels_by_scale : dict
        What the scales that were read before are labelled, each by code.
    language : str
        In which yes and no are labelled, for the kinds that carry no labels of their own.

    Raises
    ------
    InstrumentError
        If there is no such kind of item, or the field contradicts itself.
    """
    key, kind = row[NAME], row[TYPE]
    options: dict[str, object] = {"required": row[REQUIRED].lower() == "y"}
    if kind in ("radio", "dropdown", *YES_NO):
        fixed = YES_NO_CHINESE if language.startswith("zh") else YES_NO
        labels = _choices(key, fixed.get(kind, row[CHOICES]))
        scale = _scale_of(row[MATRIX] or key, labels, labels_by_scale)
        return Item(key, Kind.CHOICE, choices=tuple(map(int, labels)), scale=scale, **options)
    if kind == "notes":
        return Item(key, Kind.TEXT, low=0, high=LONGEST_NOTES, **options)
    if kind == "slider":
        least, most = _bound(row, LEAST, 0), _bound(row, MOST, 100)
        return Item(key, Kind.WHOLE_NUMBER, low=least, high=most, is_slider=True, **options)
    if kind != "text":
        raise DictionaryRefused(
            f"{key}: expected text, notes, radio, dropdown, yesno, truefalse, slider, calc or "
            f"descriptive, got {kind!r}. Ask it in one of those ways, or leave it out."
        )
    return _text_item(row, options)


def _text_item(row: Row, options: dict[str, object]) -> Item:
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
        label = plain(match[2]) if match else ""
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


def _bound(row: Row, column: str, default: int) -> float:
    text = row[column]
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DictionaryRefused(f"{row[NAME]}: expected a number as {column}, got {text!r}.")
    return int(number) if number.is_integer() else number


def plain(text: str) -> str:
    """Return a text without tags and line breaks."""
    return re.sub(r"\s+", " ", TAG.sub(" ", text)).strip()
