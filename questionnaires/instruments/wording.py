"""Texts of an instrument in one language, matched to its definition key by key.

A wording is data: ``wording/<instrument>.<language>.toml``. The files that ship carry functional
labels of our own (``functional = true``): they say what an item is about and are not the published
questionnaire. A site's licensed text has the same shape.

Each file states the SHA-256 of its own content, so that a change of words is always a decision. The
same hash is stored with every response: it says which words were read.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from string import Formatter

from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.garbled import has_lost_words, is_garbled
from questionnaires.instruments.instrument import Instrument, Item, Kind

WORDING_DIRECTORY = Path(__file__).parent / "wording"
REQUIRED_WORDS = ("title", "licence", "label")
FACTS = ("title", "introduction", "stem", "notice", "licence")


@dataclass(frozen=True, slots=True)
class ItemWording:
    """The words of one item; all but the ``label`` may be empty.

    ``read_back`` says a time back as a sentence, with ``{time}`` and ``{spoken}`` in it. ``ends``
    are the labels along a slider, divided by bars; the hint says them too.
    """

    label: str
    hint: str = ""
    read_back: str = ""
    ends: str = ""


ITEM_WORDS = tuple(field.name for field in fields(ItemWording))


@dataclass(frozen=True, slots=True)
class Wording:
    """All texts of one instrument in one language.

    ``functional`` says that these are labels of our own and not the published instrument.
    """

    instrument_key: str
    version: str
    language: str
    functional: bool
    title: str
    introduction: str
    stem: str
    notice: str
    licence: str
    items: Mapping[str, ItemWording]
    scales: Mapping[str, Mapping[int, str]]
    sha256: str

    def choices(self, item: Item) -> list[tuple[int, str]]:
        """Return the codes of a choice item with their labels, in the order shown."""
        return [(code, self.scales[item.scale][code]) for code in item.choices]


def wording_path(instrument: Instrument, language: str) -> Path:
    """Return where the wording that ships for a language tag such as ``zh-hans`` lies."""
    return WORDING_DIRECTORY / f"{instrument.key}.{language.lower().replace('-', '_')}.toml"


@cache
def _shipped(path: Path) -> tuple[dict[str, object], str]:
    if not path.is_file():
        raise WordingMismatch(f"expected the wording file {path.name}, got none. Write it.")
    return parsed_wording(path.read_bytes(), name=path.name)


def shipped_wording(instrument: Instrument, language: str) -> Wording:
    """Return the functional labels that ship with an instrument.

    Raises
    ------
    WordingMismatch
        If the file is absent, damaged, or does not fit the instrument.
    """
    return _fitted(instrument, language, wording_path(instrument, language))


@cache
def _fitted(instrument: Instrument, language: str, path: Path) -> Wording:
    # What ships does not change while a process runs, and every answer that is kept asks for it.
    content, sha256 = _shipped(path)
    return match_wording(instrument, language, content, sha256)


def parsed_wording(data: bytes, *, name: str) -> tuple[dict[str, object], str]:
    """Return the content of a wording file and its SHA-256, checked against the stated one.

    Raises
    ------
    WordingMismatch
        If the file is no UTF-8 TOML, or states no hash or another one.
    """
    try:
        content = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WordingMismatch(f"{name}: expected TOML in UTF-8, got {error}.") from error
    stated = content.pop("sha256", "")
    sha256 = content_hash(content)
    if stated != sha256:
        raise WordingMismatch(
            f'{name}: expected sha256 = "{sha256}" as the content says, got "{stated}". '
            "Read the words again, then state the new hash."
        )
    return content, sha256


def content_hash(content: Mapping[str, object]) -> str:
    """Return the SHA-256 of a wording's content, independent of layout and comments."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def match_wording(
    instrument: Instrument, language: str, content: Mapping[str, object], sha256: str
) -> Wording:
    """Return the wording if it has exactly the instrument's items and codes, all with words.

    Raises
    ------
    WordingMismatch
        With everything that is wrong: keys that are missing, unknown or empty, garbled words, or
        a file for another instrument, version or language.
    """
    if problems := wording_problems(instrument, language, content):
        name = f"wording {instrument.key}.{language}"
        raise WordingMismatch(" ".join(f"{name}: {problem}" for problem in problems))
    scales = content["scales"] if instrument.scales else {}
    return Wording(
        instrument_key=instrument.key,
        version=instrument.version,
        language=language,
        functional=bool(content.get("functional", False)),
        items={key: ItemWording(**words) for key, words in content["items"].items()},
        scales={
            scale: {code: scales[scale][str(code)] for code in codes}
            for scale, codes in instrument.scales.items()
        },
        sha256=sha256,
        **{fact: content.get(fact, "") for fact in FACTS},
    )


def wording_problems(
    instrument: Instrument, language: str, content: Mapping[str, object]
) -> list[str]:
    """Return everything that keeps a content from being the words of an instrument.

    Parameters
    ----------
    instrument : Instrument
        Whose words they should be.
    language : str
        Language tag such as ``zh-hans``.
    content : mapping
        A wording file as parsed.

    Returns
    -------
    list of str
        One English sentence for each thing to put right; empty if it fits.
    """
    identity = {"instrument": instrument.key, "version": instrument.version, "language": language}
    problems = [
        f"expected {fact} = {expected!r}, got {content.get(fact)!r}."
        for fact, expected in identity.items()
        if content.get(fact) != expected
    ]
    known = {*identity, *FACTS, "functional", "items", "scales"}
    if unknown := sorted(set(content) - known):
        problems.append(f"expected only {', '.join(sorted(known))}; unknown: {', '.join(unknown)}.")
    heads = ("title", "licence")
    problems += _unworded("the head", {fact: content.get(fact) for fact in heads})
    problems += _garbled("the head", {fact: content.get(fact, "") for fact in FACTS})
    problems += _item_problems(instrument, content.get("items", {}))
    problems += _scale_problems(instrument, content.get("scales", {}))
    return problems


def _item_problems(instrument: Instrument, items: object) -> Iterator[str]:
    if not isinstance(items, Mapping):
        yield f"expected a table of items, got {items!r}."
        return
    yield from _other_keys("items", items, [item.key for item in instrument.items])
    for item in instrument.items:
        words = items.get(item.key)
        if words is None:
            continue
        where = f"item {item.key}"
        if not isinstance(words, Mapping):
            yield f"{where}: expected a table with a label, got {words!r}."
            continue
        if unknown := sorted(set(words) - set(ITEM_WORDS)):
            yield f"{where}: expected {', '.join(ITEM_WORDS)}; unknown: {', '.join(unknown)}."
        yield from _unworded(where, {"label": words.get("label")})
        yield from _garbled(where, words)
        if item.kind is Kind.TIME:
            yield from _not_said_back(where, words.get("read_back", ""))


def _scale_problems(instrument: Instrument, scales: object) -> Iterator[str]:
    if not isinstance(scales, Mapping):
        yield f"expected a table of scales, got {scales!r}."
        return
    yield from _other_keys("scales", scales, instrument.scales)
    for scale, codes in instrument.scales.items():
        labels = scales.get(scale)
        if labels is None:
            continue
        if not isinstance(labels, Mapping):
            yield f"scale {scale}: expected a label for each code, got {labels!r}."
            continue
        if len(labels) != len(codes):
            yield f"scale {scale}: expected {len(codes)} labels, got {len(labels)}."
        yield from _other_keys(f"codes of {scale}", labels, [str(code) for code in codes])
        yield from _unworded(f"scale {scale}", labels)
        texts = {code: text for code, text in labels.items() if isinstance(text, str)}
        yield from _garbled(f"scale {scale}", texts)


def _other_keys(what: str, got: Mapping[str, object], expected: Iterable[str]) -> Iterator[str]:
    wanted = set(expected)
    absent, unknown = sorted(wanted - set(got)), sorted(set(got) - wanted)
    if absent or unknown:
        yield (
            f"{what}: expected exactly {', '.join(sorted(wanted)) or 'none'}; "
            f"missing: {', '.join(absent) or 'none'}; unknown: {', '.join(unknown) or 'none'}."
        )


def _unworded(where: str, words: Mapping[str, object]) -> Iterator[str]:
    for key, text in words.items():
        if not isinstance(text, str) or not text.strip():
            yield f"{where}: expected words for {key}, got {text!r}. Write them."


def _garbled(where: str, words: Mapping[str, object]) -> Iterator[str]:
    for key, text in words.items():
        if not isinstance(text, str):
            if key not in REQUIRED_WORDS:
                yield f"{where}: expected a text for {key}, got {text!r}. Put it in quotes."
        elif is_garbled(text):
            yield f"{where}: expected readable words for {key}, got {text!r}. Save it in UTF-8."
        elif has_lost_words(text):
            yield (
                f"{where}: expected words for {key}, got question marks ({text!r}). "
                "An encoding lost them: take them from the original and save in UTF-8."
            )


def _not_said_back(where: str, sentence: object) -> Iterator[str]:
    try:
        named = sorted(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
    except (TypeError, ValueError):
        named = []
    if named != ["spoken", "time"]:
        yield (
            f"{where}: expected a read_back sentence with {{time}} and {{spoken}}, "
            f"got {sentence!r}."
        )
