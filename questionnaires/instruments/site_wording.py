"""A site's own wording: its file read and checked, and an empty one to fill in.

The file has the shape of the wordings that ship, as TOML or JSON. Three things are easier than
there: it needs no hash of its own, a scale may be a list of labels in the order of its codes, and
a time needs no ``read_back`` sentence, since the published texts have none: ours is put in.
"""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from questionnaires.instruments.errors import WordingMismatch
from questionnaires.instruments.instrument import Instrument, Item, Kind
from questionnaires.instruments.wording import (
    content_hash,
    shipped_wording,
    wording_path,
    wording_problems,
)

PLAIN_READ_BACK = "{time}: {spoken}."
ASKED_AS = {
    Kind.CHOICE: "one of {codes}",
    Kind.TIME: "a time of day",
    Kind.MINUTES: "minutes, {low:g} to {high:g}",
    Kind.HOURS_MINUTES: "hours and minutes",
    Kind.COUNT: "a number, {low:g} to {high:g}",
    Kind.TEXT: "a text of at most {high:g} characters",
    Kind.NUMBER: "a number, {low:g} to {high:g}",
    Kind.WHOLE_NUMBER: "a whole number, {low:g} to {high:g}",
    Kind.DATE: "a date",
}


def site_content(
    data: bytes, *, name: str, instrument: Instrument, language: str, licence: str
) -> dict[str, object]:
    """Return the content of a site's wording file, checked against the instrument.

    Parameters
    ----------
    data : bytes
        The file: JSON if its name ends so, else TOML, in UTF-8.
    name : str
        Of the file, for messages.
    instrument : Instrument
        Whose words they are.
    language : str
        Language tag such as ``zh-hans``.
    licence : str
        On what ground the site may use the text.

    Returns
    -------
    dict
        As ``match_wording`` takes it; not functional.

    Raises
    ------
    WordingMismatch
        With everything that is wrong.
    """
    return checked_content(
        _parsed(data, name), name=name, instrument=instrument, language=language, licence=licence
    )


def checked_content(
    content: Mapping[str, object],
    *,
    name: str,
    instrument: Instrument,
    language: str,
    licence: str,
) -> dict[str, object]:
    """Return the content of a site's wording, checked and completed; see ``site_content``.

    Raises
    ------
    WordingMismatch
        With everything that is wrong.
    """
    content = dict(content)
    problems = _claims(content, licence)
    content.pop("sha256", None)
    content |= {"functional": False, "licence": licence.strip()}
    _label_by_code(instrument, content)
    _say_times_back(instrument, language, content)
    problems += wording_problems(instrument, language, content)
    if problems:
        raise WordingMismatch(f"{name}: " + " ".join(problems))
    return content


def skeleton(instrument: Instrument, language: str) -> str:
    """Return a TOML file with every key of an instrument and no words, ready to fill in."""
    ours = _ours(instrument, language)
    lines = [
        f"# Words of {instrument.key} in {language}. Write the published text between the quotes,",
        "# word for word; the comments say which item a key is. A hint may be left out.",
        f"instrument = {json.dumps(instrument.key)}",
        f"version = {json.dumps(instrument.version)}",
        f"language = {json.dumps(language)}",
        *(f'{fact} = ""' for fact in ("title", "introduction", "stem")),
    ]
    for item in instrument.items:
        about = f" ({ours[item.key]})" if item.key in ours else ""
        lines += ["", f"# {_asked_as(item)}{about}", f"[items.{item.key}]", 'label = ""']
    for scale, codes in instrument.scales.items():
        used = ", ".join(item.key for item in instrument.items if item.scale == scale)
        lines += ["", f"# Labels for {used}", f"[scales.{scale}]"]
        lines += [f'{code} = ""' for code in codes]
    return "\n".join(lines) + "\n"


def _parsed(data: bytes, name: str) -> dict[str, object]:
    shape = "JSON" if Path(name).suffix.lower() == ".json" else "TOML"
    try:
        text = data.decode("utf-8-sig")
        content = json.loads(text) if shape == "JSON" else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError) as error:
        raise WordingMismatch(f"{name}: expected {shape} in UTF-8, got {error}.") from error
    if not isinstance(content, dict):
        raise WordingMismatch(f"{name}: expected a table of words, got {content!r:.40}.")
    return content


def _claims(content: Mapping[str, object], licence: str) -> list[str]:
    problems = []
    if not licence.strip():
        problems.append("expected a licence note, got none. Say on what ground you may use it.")
    if content.get("functional"):
        problems.append(
            "expected the published text, got functional = true. "
            "Labels of one's own are no licensed text; take that line out once the text is in."
        )
    stated = content.get("sha256")
    rest = {key: value for key, value in content.items() if key != "sha256"}
    if stated and stated != content_hash(rest):
        problems.append(
            f'expected sha256 = "{content_hash(rest)}" as the content says, got "{stated}". '
            "Correct it or take it out."
        )
    return problems


def _label_by_code(instrument: Instrument, content: dict[str, object]) -> None:
    """Turn a list of labels into a table by code; one of the wrong length stays what it is."""
    scales = content.get("scales")
    if not isinstance(scales, dict):
        return
    for scale, codes in instrument.scales.items():
        labels = scales.get(scale)
        if isinstance(labels, list) and len(labels) == len(codes):
            scales[scale] = dict(zip(map(str, codes), labels, strict=True))


def _say_times_back(instrument: Instrument, language: str, content: dict[str, object]) -> None:
    items = content.get("items")
    if not isinstance(items, dict):
        return
    for item in instrument.items:
        words = items.get(item.key)
        if item.kind is Kind.TIME and isinstance(words, dict):
            words.setdefault("read_back", _our_read_back(instrument, language, item))


def _our_read_back(instrument: Instrument, language: str, item: Item) -> str:
    if not wording_path(instrument, language).is_file():
        return PLAIN_READ_BACK
    return shipped_wording(instrument, language).items[item.key].read_back


def _ours(instrument: Instrument, language: str) -> dict[str, str]:
    """Return the labels that ship, by item; none where there are none in this language."""
    if not wording_path(instrument, language).is_file():
        return {}
    items = shipped_wording(instrument, language).items
    return {key: words.label for key, words in items.items()}


def _asked_as(item: Item) -> str:
    return ASKED_AS[item.kind].format(
        codes=", ".join(map(str, item.choices)), low=item.low or 0, high=item.high or 0
    )
