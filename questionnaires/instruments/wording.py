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
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.instrument import Instrument, Item, Kind

WORDING_DIRECTORY = Path(__file__).parent / "wording"
FACTS = ("title", "introduction", "stem", "notice", "licence")


@dataclass(frozen=True, slots=True)
class ItemWording:
    """The words of one item; ``hint`` and ``read_back`` may be empty.

    ``read_back`` says a time back as a sentence, with ``{time}`` and ``{spoken}`` in it.
    """

    label: str
    hint: str = ""
    read_back: str = ""


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
    content, sha256 = _shipped(wording_path(instrument, language))
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
        If a key is missing, unknown or empty, or the file is for another instrument, version or
        language.
    """
    name = f"wording {instrument.key}.{language}"
    identity = {"instrument": instrument.key, "version": instrument.version, "language": language}
    for fact, expected in identity.items():
        if content.get(fact) != expected:
            raise WordingMismatch(
                f"{name}: expected {fact} = {expected!r}, got {content.get(fact)!r}."
            )
    items = content.get("items", {})
    _same_keys(f"{name}: items", items, [item.key for item in instrument.items])
    scales = content.get("scales", {})
    _same_keys(f"{name}: scales", scales, instrument.scales)
    for scale, codes in instrument.scales.items():
        _same_keys(f"{name}: codes of {scale}", scales[scale], map(str, codes))
        _all_worded(f"{name}: scale {scale}", scales[scale])
    for item in instrument.items:
        _all_worded(f"{name}: item {item.key}", {"label": items[item.key].get("label")})
        if item.kind is Kind.TIME:
            _says_time_back(f"{name}: item {item.key}", items[item.key].get("read_back", ""))
    facts = {fact: content.get(fact, "") for fact in FACTS}
    _all_worded(name, {"title": facts["title"], "licence": facts["licence"]})
    return Wording(
        instrument_key=instrument.key,
        version=instrument.version,
        language=language,
        functional=bool(content.get("functional", False)),
        items={key: ItemWording(**words) for key, words in items.items()},
        scales={
            scale: {code: scales[scale][str(code)] for code in codes}
            for scale, codes in instrument.scales.items()
        },
        sha256=sha256,
        **facts,
    )


def _same_keys(what: str, got: Mapping[str, object], expected: object) -> None:
    wanted = set(expected)
    absent, unknown = sorted(wanted - set(got)), sorted(set(got) - wanted)
    if absent or unknown:
        raise WordingMismatch(
            f"{what}: expected exactly {', '.join(sorted(wanted))}; "
            f"missing: {', '.join(absent) or 'none'}; unknown: {', '.join(unknown) or 'none'}."
        )


def _all_worded(what: str, words: Mapping[str, object]) -> None:
    for key, text in words.items():
        if not isinstance(text, str) or not text.strip():
            raise WordingMismatch(f"{what}: expected words for {key}, got {text!r}. Write them.")


def _says_time_back(what: str, sentence: str) -> None:
    if "{time}" not in sentence or "{spoken}" not in sentence:
        raise WordingMismatch(
            f"{what}: expected a read_back sentence with {{time}} and {{spoken}}, got {sentence!r}."
        )
