"""Raw answers in, values out: the one place where text becomes a measurement.

A raw answer may come from a form, a spreadsheet or another program. What has only one meaning is
read (``23:30``, ``11:30 pm``, ``7,5``, full-width digits); everything else is refused with a code.
A time that has one meaning but is unlikely (``11:30`` for half past eleven at night) is read as it
stands: asking back is the work of ``plausibility``.

A typed range of minutes or hours ("30 to 60") is read as its midpoint, as the instructions for the
PSQI of 20 May 2005 ask; ``is_range`` tells the caller to flag it.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date

from questionnaires.instruments.errors import AnswerRefused
from questionnaires.instruments.garbled import is_garbled
from questionnaires.instruments.instrument import Item, Kind, Value

# 21 decimals: what the shortest spelling of a float takes before it turns to exponents.
NUMBER = r"\d{1,6}(?:[.,]\d{1,21})?"
MINUTES_UNIT = r"m(?:in(?:utes?|s)?)?\.?|分钟?"
HOURS_UNIT = r"h(?:ours?|rs?)?\.?|个?小时"
UNIT = rf"(?:(?P<minutes>{MINUTES_UNIT})|(?P<hours>{HOURS_UNIT})|(?P<times>times?|次))?"
TIME = re.compile(r"(\d{1,2})[:h](\d{2})(?::00)?\s*([ap])?\.?(?:m\.?)?", re.IGNORECASE)
DURATION = re.compile(
    rf"(\d{{1,2}})\s*(?::|{HOURS_UNIT})\s*(?:(\d{{1,2}})(?::00)?\s*(?:{MINUTES_UNIT})?)?",
    re.IGNORECASE,
)
PLAIN_NUMBER = re.compile(rf"([-+]?{NUMBER})\s*{UNIT}", re.IGNORECASE)
RANGE = re.compile(
    rf"({NUMBER})\s*(?:-|\u2013|\u2014|~|to|至|到)\s*({NUMBER})\s*{UNIT}", re.IGNORECASE
)
# What one of a unit is in the unit of the item; units that are not listed do not fit.
FACTORS = {
    Kind.MINUTES: {"minutes": 1, "hours": 60},
    Kind.HOURS_MINUTES: {"minutes": 1 / 60, "hours": 1},
    Kind.COUNT: {"times": 1},
}
NOON_HOUR = 12
LAST_HOUR = 23
MINUTES_IN_HOUR = 60


def read_answer(item: Item, raw: object) -> Value:
    """Return the value that a raw answer stands for.

    Parameters
    ----------
    item : Item
        The item that was answered.
    raw : str, int, float or None
        As typed or imported. Blank and ``None`` mean "no answer".

    Returns
    -------
    str, int, float or None
        A code, ``HH:MM``, minutes, hours, a count or a text; ``None`` for an optional item that
        was left blank.

    Raises
    ------
    AnswerRefused
        If the answer does not fit the item.
    """
    text = _text(item, raw)
    if not text:
        return _blank(item)
    return READERS[item.kind](item, text)


def is_range(item: Item, raw: str) -> bool:
    """Return whether a number was typed as a range, so that its midpoint was stored."""
    if item.kind not in (Kind.MINUTES, Kind.HOURS_MINUTES):
        return False
    return RANGE.fullmatch(unicodedata.normalize("NFKC", raw).strip()) is not None


def _text(item: Item, raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise AnswerRefused(
            "wrong_type",
            item_key=item.key,
            expected="a text or a number",
            got=raw,
            advice="Send the answer as it was typed.",
        )
    if not isinstance(raw, str):
        return _number_text(raw)
    _refuse_garbled(item, raw)
    if item.kind is Kind.TEXT:
        return unicodedata.normalize("NFC", raw).strip()
    return unicodedata.normalize("NFKC", raw).strip()


def _number_text(number: float) -> str:
    """Return a number as typed text; a table reader's NaN is a blank cell."""
    if isinstance(number, float) and math.isnan(number):
        return ""
    if isinstance(number, float) and number.is_integer():
        return str(int(number))
    return str(number)


def _refuse_garbled(item: Item, text: str) -> None:
    if is_garbled(text):
        raise AnswerRefused(
            "garbled",
            item_key=item.key,
            expected="readable text",
            got=text,
            advice="The text was saved in one encoding and opened in another; use UTF-8.",
        )


def _blank(item: Item) -> None:
    if item.required:
        raise AnswerRefused(
            "missing",
            item_key=item.key,
            expected="an answer",
            got="",
            advice="This item may not be left blank.",
        )


def _read_choice(item: Item, text: str) -> int:
    listed = ", ".join(map(str, item.choices))
    codes = {str(code): code for code in item.choices}
    whole = re.sub(r"[.,]0+$", "", text)
    if whole not in codes:
        raise AnswerRefused(
            "not_a_choice",
            item_key=item.key,
            expected=f"one of {listed}",
            got=text,
            advice=f"The answers are coded {listed}; recode tables that count differently.",
        )
    return codes[whole]


def _read_time(item: Item, text: str) -> str:
    match = TIME.fullmatch(text)
    hour, minute = (int(match[1]), int(match[2])) if match else (-1, -1)
    if match and match[3]:
        hour = _hour_of_day(hour, is_afternoon=match[3].lower() == "p")
    if hour == LAST_HOUR + 1 and minute == 0:
        hour = 0
    if not (0 <= hour <= LAST_HOUR and 0 <= minute < MINUTES_IN_HOUR):
        raise AnswerRefused(
            "not_a_time",
            item_key=item.key,
            expected="a time of day",
            got=text,
            advice="Write it on the 24-hour clock, like 22:30.",
        )
    return f"{hour:02d}:{minute:02d}"


def _hour_of_day(hour: int, *, is_afternoon: bool) -> int:
    """Return the hour on the 24-hour clock, -1 where "13 pm" has no meaning."""
    if not 1 <= hour <= NOON_HOUR:
        return -1
    return hour % NOON_HOUR + (NOON_HOUR if is_afternoon else 0)


def _read_minutes(item: Item, text: str) -> float:
    return _within(item, _number_or_midpoint(item, text), text)


def _read_duration(item: Item, text: str) -> float:
    match = DURATION.fullmatch(text)
    if not match:
        return _within(item, _number_or_midpoint(item, text), text)
    minutes = int(match[2] or 0)
    if minutes >= MINUTES_IN_HOUR:
        raise AnswerRefused(
            "not_a_duration",
            item_key=item.key,
            expected="hours and 0 to 59 minutes",
            got=text,
            advice="Write it like 7:30.",
        )
    hours = (int(match[1]) * MINUTES_IN_HOUR + minutes) / MINUTES_IN_HOUR
    return _within(item, hours, text)


def _read_count(item: Item, text: str) -> int:
    number = _number_or_midpoint(item, text)
    if RANGE.fullmatch(text) or number != int(number):
        raise AnswerRefused(
            "not_a_whole_number",
            item_key=item.key,
            expected="a whole number",
            got=text,
            advice="Count how many times.",
        )
    return int(_within(item, number, text))


def _read_text(item: Item, text: str) -> str:
    if len(text) > item.high:
        raise AnswerRefused(
            "too_long",
            item_key=item.key,
            expected=f"at most {item.high:g} characters",
            got=text,
            advice="Shorten it.",
            high=f"{item.high:g}",
        )
    return text


def _read_number(item: Item, text: str) -> float:
    match = PLAIN_NUMBER.fullmatch(text)
    if not match or match.lastgroup:
        raise AnswerRefused(
            "not_a_number",
            item_key=item.key,
            expected="a number",
            got=text,
            advice="Write digits only.",
        )
    return _within(item, _float(match[1]), text)


def _read_whole_number(item: Item, text: str) -> int:
    number = _read_number(item, text)
    if number != int(number):
        raise AnswerRefused(
            "not_a_whole_number",
            item_key=item.key,
            expected="a whole number",
            got=text,
            advice="Leave out the decimals.",
        )
    return int(number)


def _read_date(item: Item, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise AnswerRefused(
            "not_a_date",
            item_key=item.key,
            expected="a date",
            got=text,
            advice="Write it like 2026-03-31.",
        ) from None


def _number_or_midpoint(item: Item, text: str) -> float:
    between, single = RANGE.fullmatch(text), PLAIN_NUMBER.fullmatch(text)
    match = between or single
    unit = match.lastgroup if match else None
    factors = FACTORS[item.kind]
    if match is None or (unit is not None and unit not in factors):
        raise AnswerRefused(
            "not_a_number",
            item_key=item.key,
            expected="a number",
            got=text,
            advice=f"Write digits only, in {item.unit}.",
        )
    factor = 1 if unit is None else factors[unit]
    number = (_float(between[1]) + _float(between[2])) / 2 if between else _float(single[1])
    return number * factor


def _within(item: Item, number: float, text: str) -> float:
    if not item.low <= number <= item.high:
        raise AnswerRefused(
            "out_of_range",
            item_key=item.key,
            expected=f"{item.low:g} to {item.high:g} {item.unit}",
            got=text,
            advice="Check the number and its unit.",
            low=f"{item.low:g}",
            high=f"{item.high:g}",
        )
    return int(number) if number == int(number) and item.kind is not Kind.HOURS_MINUTES else number


def _float(digits: str) -> float:
    return float(digits.replace(",", "."))


READERS: dict[Kind, Callable[[Item, str], Value]] = {
    Kind.CHOICE: _read_choice,
    Kind.TIME: _read_time,
    Kind.MINUTES: _read_minutes,
    Kind.HOURS_MINUTES: _read_duration,
    Kind.COUNT: _read_count,
    Kind.TEXT: _read_text,
    Kind.NUMBER: _read_number,
    Kind.WHOLE_NUMBER: _read_whole_number,
    Kind.DATE: _read_date,
}
