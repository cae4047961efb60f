"""Times of day as people say them, in each language that ships.

A time typed on the 24-hour clock is said back in words ("00:30, half past midnight"), so that a
half-day slip is heard at once.
"""

from collections.abc import Callable

from questionnaires.instruments.clock import minute_of_day

MINUTES_IN_HOUR = 60
HALF_PAST = 30
QUARTERS = {15: "quarter past", 30: "half past", 45: "quarter to"}
ENGLISH_HOURS = (
    "midnight",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "noon",
)
# First hour that the part of the day no longer covers.
ENGLISH_PARTS = (
    (5, "at night"),
    (12, "in the morning"),
    (18, "in the afternoon"),
    (22, "in the evening"),
)
CHINESE_PARTS = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def spoken_time(time: str, language: str) -> str:
    """Return a time of day in words.

    Parameters
    ----------
    time : str
        ``HH:MM`` on the 24-hour clock.
    language : str
        Language tag; one without words of its own gets English.

    Examples
    --------
    >>> spoken_time("00:30", "en"), spoken_time("23:30", "en")
    ('half past midnight', 'half past eleven at night')
    >>> spoken_time("00:30", "zh-hans"), spoken_time("23:05", "zh-hans")
    ('凌晨零点半', '晚上十一点零五分')
    """
    hour, minute = divmod(minute_of_day(time), MINUTES_IN_HOUR)
    return SPEAKERS.get(language.lower(), _english)(hour, minute)


def _english(hour: int, minute: int) -> str:
    named = hour if minute != 45 else (hour + 1) % 24
    part = _part(hour, ENGLISH_PARTS, last="at night")
    word = ENGLISH_HOURS[named if named <= 12 else named - 12]
    if minute in QUARTERS:
        words = f"{QUARTERS[minute]} {word}"
        return words if named in (0, 12) else f"{words} {part}"
    if minute == 0:
        return word if hour in (0, 12) else f"{word} {part}"
    return f"{hour % 12 or 12}:{minute:02d} {part}"


def _simplified_chinese(hour: int, minute: int) -> str:
    part = _part(hour, CHINESE_PARTS, last="晚上")
    hour_word = _chinese_hour(hour)
    if minute == 0:
        return f"{part}{hour_word}点"
    if minute == HALF_PAST:
        return f"{part}{hour_word}点半"
    zero = "零" if minute < 10 else ""
    return f"{part}{hour_word}点{zero}{_chinese_number(minute)}分"


def _chinese_hour(hour: int) -> str:
    on_dial = hour if hour <= 12 else hour - 12
    if on_dial == 0:
        return "零"
    return "两" if on_dial == 2 else _chinese_number(on_dial)


def _chinese_number(number: int) -> str:
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    lead = {0: "", 1: "十"}.get(tens, f"{digits[tens]}十")
    return lead + (digits[ones] if ones or not tens else "")


def _part(hour: int, parts: tuple[tuple[int, str], ...], *, last: str) -> str:
    return next((words for until, words in parts if hour < until), last)


SPEAKERS: dict[str, Callable[[int, int], str]] = {
    "en": _english,
    "zh-hans": _simplified_chinese,
}
