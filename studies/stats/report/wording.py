"""The report's own words, in each language complete: TOML beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh_hans")
POOL = "all"


@dataclass(frozen=True, slots=True)
class Words:
    """One language: `words("section.key", value=...)` gives the text with its values in place."""

    tag: str
    table: Mapping[str, Any]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text; raises KeyError for a key that no language has."""
        text: Any = self.table
        for part in key.split(".", 1):
            text = text[part]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Return whether there is a text of this key."""
        section, _dot, name = key.partition(".")
        return name in self.table.get(section, {})

    def arm(self, name: str) -> str:
        """Return an arm as people read it."""
        return self("all") if name == POOL else name.replace("_", "-")

    def outcome(self, name: str) -> str:
        """Return an outcome as people read it: a short name is an abbreviation."""
        return name.upper() if len(name) <= 6 else name.replace("_", " ")

    def contrast(self, label: str) -> str:
        """Return a contrast with the arms as people read them."""
        return " \N{EN DASH} ".join(self.arm(part) for part in label.split(" - "))


@cache
def words_in(language: str) -> Words:
    """Return the words of one of `LANGUAGES`."""
    path = Path(__file__).with_name(f"wording.{language}.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return Words(table["language"], table)
