"""What an analysis does otherwise than the plan that was locked before unblinding, part by part.

Of a part that is a table in itself only the lines that differ are told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studies.stats.report.blocks import Table
from studies.stats.report.methods import rule_text
from studies.stats.report.tables import column_name, method_name
from studies.stats.report.wording import Words

# Parts of a plan whose lines are told apart. A responder rule is one thing.
RESPONDER = "responder"


def departures_table(deviations: Sequence[Mapping[str, Any]], words: Words) -> Table:
    """Return what departs: the part, what was planned, what was analysed, and why."""
    rows = tuple(
        (_part(where, words), _value(where, planned, words), _value(where, analysed, words),
         str(item["reason"]))
        for item in deviations
        for where, planned, analysed in _differing(
            (item["part"],), item["planned"], item["analysed"]
        )
    )  # fmt: skip
    header = tuple(words(f"tables.{key}") for key in ("part", "planned", "analysed", "reason"))
    return Table(words("tables.deviations"), header, rows, len(header))


def _differing(
    where: tuple[str, ...], planned: Any, analysed: Any
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    is_table = isinstance(planned, Mapping) and isinstance(analysed, Mapping)
    if is_table and where[-1] != RESPONDER:
        for key in dict.fromkeys((*planned, *analysed)):
            yield from _differing((*where, key), planned.get(key), analysed.get(key))
    elif planned != analysed:
        yield where, planned, analysed


def _part(where: tuple[str, ...], words: Words) -> str:
    return ": ".join(_name(key, words) for key in where)


def _name(key: str, words: Words) -> str:
    for section in ("parts", "estimand"):
        if words.has(f"{section}.{key}"):
            return words(f"{section}.{key}")
    return words.outcome(key)


def _value(where: tuple[str, ...], value: Any, words: Words) -> str:
    """Return a value in words where there are any."""
    if value in (None, "", []):
        return words("none")
    if where[-1] == RESPONDER:
        return rule_text(value, words)
    if where[-1] == "method":
        return method_name(str(value), words)
    if where[-1] == "adjust":
        return words(f"adjusts.{value}")
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{column_name(str(key))}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
