"""Which tests show that a requirement holds: the one table that the validation report prints.

References
----------
ICH E6(R3) 4.3.4 (validation), 21 CFR 11.10(a): what the numbers of the table stand for.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studies.design.errors import DesignError

TABLE = Path(__file__).with_name("requirements.toml")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement, and the names of the tests that cover it or the reason why none does."""

    number: str
    title: str
    tests: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        if bool(self.tests) == bool(self.reason):
            raise DesignError(
                f"tests or a reason were expected for requirement {self.number}, got "
                f"{'both' if self.tests else 'neither'}. Name the tests, or say why there are none."
            )

    @property
    def is_covered(self) -> bool:
        """Whether tests cover it."""
        return bool(self.tests)


def requirements(text: str | None = None) -> tuple[Requirement, ...]:
    """Return every requirement, in the table's order.

    Parameters
    ----------
    text : str, optional
        A table in TOML; the product's own without it.

    Raises
    ------
    DesignError
        A requirement has neither tests nor a reason, or both.
    """
    table = tomllib.loads(TABLE.read_text(encoding="utf-8") if text is None else text)
    return tuple(_requirement(number, row) for number, row in table.items())


def _requirement(number: str, row: Mapping[str, object]) -> Requirement:
    return Requirement(
        number, row["title"], tuple(row.get("tests", ())), str(row.get("reason", ""))
    )
