"""What in a condition contradicts the items that it looks at.

A condition compares answers with constants, so only a few answers of each item tell it apart: the
codes of a choice, and around each constant the values just below, at and just above it. A condition
that none of them makes true is never true.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise

from questionnaires.instruments.branching import Comparison, Condition, Group
from questionnaires.instruments.clock import MINUTES_IN_DAY, minute_of_day, time_of_day
from questionnaires.instruments.instrument import Item, Kind, Value

NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
EQUALITIES = ("=", "<>", "!=")
LONGEST_CONDITION = 100
# A condition that takes longer to decide is not called a contradiction.
MOST_STEPS = 20_000

Items = Mapping[str, Item]
Left = Mapping[str, frozenset[Value]]


def contradictions(condition: Condition, items: Items) -> list[str]:
    """Return what in a condition contradicts its items.

    Parameters
    ----------
    condition : Condition
        Of an item.
    items : mapping of str to Item
        The items that come before it. A condition on others is judged by what is known.

    Returns
    -------
    list of str
        One English sentence for each constant that its item cannot be compared with; without any,
        one for a condition that no answers make true. Empty where it fits.
    """
    known = [one for one in condition.comparisons if one.item_key in items]
    problems = [
        f"expected {one.item_key} to be compared with {expected}, got {one}. Correct it."
        for one in dict.fromkeys(known)
        if (expected := _comparable_with(one, items[one.item_key]))
    ]
    if problems or not condition.keys <= items.keys() or can_hold(condition, items):
        return problems
    text = str(condition)
    shown = text if len(text) <= LONGEST_CONDITION else f"{text[:LONGEST_CONDITION]}..."
    return [f"expected a condition that can be true, got {shown}, which never is. Correct it."]


def can_hold(condition: Condition, items: Items) -> bool:
    """Return whether there are answers that make a condition true.

    Parameters
    ----------
    condition : Condition
        On these items, each comparison with a constant of its item's kind.
    items : mapping of str to Item
        An item that is not asked has no answer, so their own conditions count too.
    """
    whole = _with_those_of_its_items(condition, items)
    constants: dict[str, list[str]] = {}
    for one in whole.comparisons:
        constants.setdefault(one.item_key, []).append(one.constant)
    left = {key: _telling_values(items[key], texts) for key, texts in constants.items()}
    return next(_ways(whole, left, iter(range(MOST_STEPS))), None) is not None


def _comparable_with(one: Comparison, item: Item) -> str:
    """Return what an item should have been compared with; empty where the constant fits."""
    text = one.constant
    if not text or item.kind is Kind.TEXT:
        return ""
    if item.kind is Kind.TIME:
        return "" if CLOCK.fullmatch(text) else "a time like '09:30'"
    if item.kind is Kind.DATE:
        return "" if _is_date(text) else "a date like '2026-03-31'"
    if item.kind is Kind.CHOICE and one.operator in EQUALITIES:
        is_code = NUMBER.fullmatch(text) and float(text) in item.choices
        return "" if is_code else f"one of {', '.join(map(str, item.choices))}"
    return "" if NUMBER.fullmatch(text) else "a number"


def _with_those_of_its_items(condition: Condition, items: Items) -> Condition:
    """Return a condition and, for each item below it, that the item is blank or was asked."""
    parts, keys, seen = [condition], set(condition.keys), set()
    while keys - seen:
        key = min(keys - seen)
        seen.add(key)
        asked_when = items[key].asked_when
        if asked_when is not None and asked_when.keys <= items.keys():
            parts.append(Group("or", (asked_when, Comparison(key, "=", ""))))
            keys |= asked_when.keys
    return Group("and", tuple(parts))


def _ways(condition: Condition, left: Left, steps: Iterator[int]) -> Iterator[Left]:
    """Yield the answers that are left of each item, one way of making a condition true at a time.

    When the steps run out, the condition counts as one that can be true.
    """
    if next(steps, None) is None:
        yield left
    elif isinstance(condition, Comparison):
        key = condition.item_key
        values = frozenset(value for value in left[key] if condition.holds({key: value}))
        if values:
            yield {**left, key: values}
    elif condition.word == "or":
        for part in condition.parts:
            yield from _ways(part, left, steps)
    else:
        yield from _ways_of_all(condition.parts, left, steps)


def _ways_of_all(parts: tuple[Condition, ...], left: Left, steps: Iterator[int]) -> Iterator[Left]:
    if not parts:
        yield left
        return
    for way in _ways(parts[0], left, steps):
        yield from _ways_of_all(parts[1:], way, steps)


def _telling_values(item: Item, texts: Iterable[str]) -> frozenset[Value]:
    """Return the answers of an item that these constants tell apart, a blank among them."""
    constants = [text for text in dict.fromkeys(texts) if text]
    values = TELLING.get(item.kind, _numbers)(item, constants)
    return frozenset({None, *values})


def _codes(item: Item, _constants: list[str]) -> Iterable[Value]:
    return item.choices


def _times(_item: Item, constants: list[str]) -> Iterable[Value]:
    minutes = {0, MINUTES_IN_DAY - 1}
    for text in constants:
        minutes |= {minute_of_day(text) + step for step in (-1, 0, 1)}
    return [time_of_day(minute) for minute in minutes if 0 <= minute < MINUTES_IN_DAY]


def _dates(_item: Item, constants: list[str]) -> Iterable[Value]:
    days = [date.fromisoformat(text) for text in constants]
    return [
        (day + timedelta(days=step)).isoformat()
        for day in days
        for step in (-1, 0, 1)
        if date.min < day < date.max
    ]


def _texts(_item: Item, constants: list[str]) -> Iterable[Value]:
    return ["!", "words", *constants, *(f"{text}!" for text in constants)]


def _numbers(item: Item, constants: list[str]) -> Iterable[Value]:
    points = {item.low, item.high, *map(float, constants)}
    if item.kind in (Kind.WHOLE_NUMBER, Kind.COUNT):
        wholes = {math.floor(point) + step for point in points for step in (-1, 0, 1, 2)}
        return [whole for whole in wholes if item.low <= whole <= item.high]
    between = {(lower + upper) / 2 for lower, upper in pairwise(sorted(points))}
    return [point for point in points | between if item.low <= point <= item.high]


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


TELLING: dict[Kind, Callable[[Item, list[str]], Iterable[Value]]] = {
    Kind.CHOICE: _codes,
    Kind.TIME: _times,
    Kind.DATE: _dates,
    Kind.TEXT: _texts,
}
