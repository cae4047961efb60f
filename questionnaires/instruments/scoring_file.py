"""The scores that a small TOML file declares for an instrument from a data dictionary.

rule = "isi_sum"
source = "Bastien et al. 2001"

[scores.total]
method = "sum"
items = ["isi_1", "isi_2", "isi_3"]
reversed = ["isi_2"]
missing_allowed = 0
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from questionnaires.instruments.declared import N_ANSWERED, UNSCORED
from questionnaires.instruments.errors import DictionaryRefused
from questionnaires.instruments.instrument import Item, Kind, ScaleScore

METHODS = ("sum", "mean")
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
FACTS = ("rule", "source", "scores")
SCALE_FACTS = ("method", "items", "reversed", "missing_allowed")
ADDABLE = (Kind.CHOICE, Kind.NUMBER, Kind.WHOLE_NUMBER, Kind.COUNT, Kind.MINUTES)


@dataclass(frozen=True, slots=True)
class Scoring:
    """What a scoring file declares."""

    rule_id: str = UNSCORED
    source: str = "Imported from a data dictionary"
    declared: tuple[ScaleScore, ...] = ()


def read_scoring(data: bytes, items: Mapping[str, Item]) -> Scoring:
    """Return what a scoring file declares for these items.

    Raises
    ------
    DictionaryRefused
        With everything in which the file contradicts itself or the items.
    """
    try:
        content = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DictionaryRefused(f"scoring: expected TOML in UTF-8, got {error}.") from error
    problems = list(_problems(content, items))
    if problems:
        raise DictionaryRefused(" ".join(f"scoring: {problem}" for problem in problems))
    return Scoring(
        rule_id=content["rule"],
        source=content.get("source", Scoring.source),
        declared=tuple(
            ScaleScore(
                name=name,
                method=scale["method"],
                items=tuple(scale["items"]),
                reversed=tuple(scale.get("reversed", ())),
                missing_allowed=scale.get("missing_allowed", 0),
            )
            for name, scale in content["scores"].items()
        ),
    )


def _problems(content: Mapping[str, object], items: Mapping[str, Item]) -> Iterator[str]:
    if unknown := sorted(set(content) - set(FACTS)):
        yield f"expected {', '.join(FACTS)}; unknown: {', '.join(unknown)}."
    if not NAME.fullmatch(str(content.get("rule", ""))):
        yield f"expected rule = a name like isi_sum, got {content.get('rule')!r}."
    if not isinstance(content.get("source", ""), str):
        yield f"expected source = a text, got {content['source']!r}."
    scores = content.get("scores")
    if not isinstance(scores, Mapping) or not scores:
        yield f"expected one or more [scores.NAME], got {scores!r}."
        return
    for name, scale in scores.items():
        if not NAME.fullmatch(name) or name in items or name == N_ANSWERED.name:
            yield f"expected the name of a score that no item has, got {name!r}. Rename it."
        if not isinstance(scale, Mapping):
            yield f"{name}: expected a table, got {scale!r}."
            continue
        yield from (f"{name}: {problem}" for problem in _scale_problems(scale, items))


def _scale_problems(scale: Mapping[str, object], items: Mapping[str, Item]) -> Iterator[str]:
    if unknown := sorted(set(scale) - set(SCALE_FACTS)):
        yield f"expected {', '.join(SCALE_FACTS)}; unknown: {', '.join(unknown)}."
    if scale.get("method") not in METHODS:
        yield f"expected method = {' or '.join(METHODS)}, got {scale.get('method')!r}."
    added, turned = scale.get("items", []), scale.get("reversed", [])
    if not _is_list_of_texts(added) or not _is_list_of_texts(turned) or not added:
        yield f"expected items = and reversed = lists of item keys, got {added!r} and {turned!r}."
        return
    yield from _key_problems(added, turned, items)
    allowed = scale.get("missing_allowed", 0)
    if type(allowed) is not int or not 0 <= allowed < len(added):
        yield f"expected missing_allowed from 0 to {len(added) - 1}, got {allowed!r}."


def _key_problems(added: list[str], turned: list[str], items: Mapping[str, Item]) -> Iterator[str]:
    if absent := sorted(set(added) - set(items)):
        yield f"expected items of the instrument, got {', '.join(absent)}."
    if texts := sorted(key for key in added if key in items and items[key].kind not in ADDABLE):
        yield f"expected items that are numbers or choices, got {', '.join(texts)}."
    if len(set(added)) != len(added):
        yield "expected each item once, got one twice."
    if strays := sorted(set(turned) - set(added)):
        yield f"expected reversed items among the items, got {', '.join(strays)}."


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(key, str) for key in value)
