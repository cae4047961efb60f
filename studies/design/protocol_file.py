"""A protocol as a file that people read, write and compare: TOML, complete, one section a subject.

`write` and `read` are inverse: a protocol that is written and read again has the same hash. The
file groups what the protocol's JSON keeps flat (allocation, music) and gives each language of the
consent text a section of its own; nothing else differs.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from studies.design.errors import ProtocolFaults
from studies.design.protocol import Protocol

FORMAT = 1
BYTES_MAX = 512 * 1024
HEADER = """\
# The protocol of a study. Every part is here: edit it, import it, and read what is wrong with it.
# docs/trial.md explains each section.
"""
ALLOCATION = (
    "method",
    "block_sizes",
    "slots_per_stratum",
    "distance",
    "chance_percent",
    "factors",
)
MUSIC = ("tempo_max_bpm", "styles")


def write(protocol: Protocol) -> str:
    """Return the protocol as a TOML file."""
    stated = protocol.to_json()
    plain = _defaults(protocol) | stated
    music = {"night_minutes": plain["night_minutes"], **_profile(protocol)}
    sections = {
        "format": FORMAT,
        "name": plain["name"],
        "participants_planned": protocol.participants_planned,
        "two_people_open": protocol.two_people_open,
        "treatment_weeks": protocol.treatment_weeks,
        "allocation": {name: plain[name] for name in ALLOCATION if plain[name] != []},
        "music": music,
        "arms": plain["arms"],
        "visits": plain["visits"],
        "consent": asdict(protocol.consent),
        "eligibility": [_without_none(rule) for rule in plain["eligibility"]],
    }
    if protocol.screening.is_asked:
        sections["screening"] = protocol.screening.to_json()
    sections["reminders"] = json.loads(json.dumps(asdict(protocol.reminders)))
    sections["safety"] = _safety(protocol)
    if "cbt" in stated:
        sections["cbt"] = plain["cbt"]
    if protocol.texts:
        sections["texts"] = {text["language"]: text["pages"] for text in plain["texts"]}
    if asked := [text for text in plain.get("texts", []) if "questions" in text]:
        sections["questions"] = {text["language"]: text["questions"] for text in asked}
    return HEADER + "\n".join(_table(sections)) + "\n"


def read(text: str) -> Protocol:
    """Return the protocol of a file.

    Raises
    ------
    ProtocolFaults
        It is no TOML, has another format, or the protocol is wrong; everything at once.
    """
    return Protocol.from_json(flat(text))


def flat(text: str) -> dict[str, object]:
    """Return a file's parts as the protocol's JSON has them, right or wrong.

    Raises
    ------
    ProtocolFaults
        It is no TOML of this format.
    """
    if len(text.encode()) > BYTES_MAX:
        raise ProtocolFaults(
            [f"expected a file of {BYTES_MAX} bytes at most, got more. Shorten it."]
        )
    try:
        plain = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProtocolFaults(
            [f"expected a TOML file, got one that cannot be read: {error}. Correct that line."]
        ) from error
    form = plain.pop("format", None)
    if form != FORMAT:
        raise ProtocolFaults(
            [f"expected a file of format {FORMAT}, got {form!r}. Export one anew."]
        )
    return _flat(plain)


def _flat(plain: dict[str, object]) -> dict[str, object]:
    faults = [
        f"expected a section [{name}], got {plain[name]!r}. Write it as one."
        for name in ("allocation", "music", "texts", "questions")
        if not isinstance(plain.get(name, {}), Mapping)
    ]
    if faults:
        raise ProtocolFaults(faults)
    allocation = {"factors": [], "block_sizes": []} | dict(plain.pop("allocation", {}))
    music = dict(plain.pop("music", {}))
    texts, questions = plain.pop("texts", {}), plain.pop("questions", {})
    night = {"night_minutes": music.pop("night_minutes")} if "night_minutes" in music else {}
    parts = {**plain, **allocation, **night}
    if music:
        parts["music"] = music
    if texts:
        parts["texts"] = [
            {"language": language, "pages": pages, "questions": questions.get(language, [])}
            for language, pages in texts.items()
        ]
    return {"eligibility": [], **parts}


def _defaults(protocol: Protocol) -> dict[str, object]:
    return {
        "method": str(protocol.method),
        "distance": protocol.distance,
        "chance_percent": protocol.chance_percent,
    }


def _profile(protocol: Protocol) -> dict[str, object]:
    return {
        "tempo_max_bpm": protocol.music.tempo_max_bpm,
        "styles": [str(style) for style in protocol.music.styles],
        "nights_ahead": protocol.music.nights_ahead,
        "downloads": [str(form) for form in protocol.music.downloads],
    }


def _safety(protocol: Protocol) -> dict[str, object]:
    plain = asdict(protocol.safety)
    lines = plain.pop("help_lines")
    rules = {"rules": [_without_none(rule) for rule in plain.pop("rules")]}
    return plain | rules | ({"help_lines": list(lines)} if lines else {})


def _without_none(plain: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in plain.items() if value is not None}


def _table(table: Mapping[str, object], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Give the lines of a table: its own values first, then the tables below it."""
    below = {name: value for name, value in table.items() if _is_below(value)}
    for name, value in table.items():
        if name not in below:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in below.items():
        inner = (*path, name)
        title = ".".join(_key(part) for part in inner)
        if isinstance(value, Mapping):
            # A table of nothing but tables needs no title of its own.
            if not all(_is_below(part) for part in value.values()):
                yield f"\n[{title}]"
            yield from _table(value, inner)
        else:
            for entry in value:
                yield f"\n[[{title}]]"
                yield from _table(entry, inner)


def _is_below(value: object) -> bool:
    is_tables = isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or is_tables


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare else _value(name)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, str) and "\n" in value:
        return _long_text(value)
    # TOML writes whole and broken numbers, true, false and short texts as JSON does.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _long_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"""', '""\\"').replace("\r", "\\r")
    if escaped.endswith('"'):
        escaped = escaped[:-1] + '\\"'
    return f'"""\n{"".join(_printable(mark) for mark in escaped)}"""'


def _printable(mark: str) -> str:
    is_control = (ord(mark) < 32 and mark not in "\n\t") or ord(mark) == 127
    return f"\\u{ord(mark):04x}" if is_control else mark
