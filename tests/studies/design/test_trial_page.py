"""docs/trial.md says what the code does: roles, states, methods, the file's sections."""

import re
import tomllib
from pathlib import Path

import pytest

from studies.design.parts import Method
from studies.design.protocol import four_arms
from studies.design.protocol_file import write
from studies.design.roles import ROLE_ABILITIES, Ability, RoleName
from studies.design.states import MACHINES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "trial.md").read_text(encoding="utf-8")
SHORT = {RoleName.PRINCIPAL_INVESTIGATOR: "PI"}
TITLES = {"protocol": "protocol version"}


def _role_table() -> str:
    roles = list(ROLE_ABILITIES)
    lines = [f"| ability | {' | '.join(SHORT.get(role, role) for role in roles)} |"]
    lines.append("| --- |" + " :-: |" * len(roles))
    for ability in Ability:
        marks = ("x" if ability in ROLE_ABILITIES[role] else "" for role in roles)
        lines.append(f"| `{ability}` | {' | '.join(marks)} |")
    return "\n".join(lines)


def test_the_table_of_roles_is_that_of_the_code() -> None:
    assert _role_table() in PAGE, f"the page should have\n\n{_role_table()}"


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_the_tables_of_states_are_those_of_the_code(machine: str) -> None:
    part = PAGE.split(f"| {TITLES.get(machine, machine)} | may become |")[1].split("\n\n")[0]
    told: dict[str, frozenset[str]] = {}
    for line in part.strip().splitlines()[1:]:
        olds, news = (cell.strip() for cell in line.strip("|").split("|"))
        moves = frozenset() if news == "(final)" else frozenset(news.split(", "))
        told |= dict.fromkeys(olds.split(", "), moves)
    assert told == dict(MACHINES[machine])


def test_what_has_no_table_of_states_names_a_test_that_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)
    assert len(named) == 11
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_every_method_and_every_section_of_the_file_is_explained() -> None:
    for method in Method:
        assert f"| {method} |" in PAGE
    for name in tomllib.loads(write(four_arms())):
        assert f"`{name}`" in PAGE or f"[{name}" in PAGE, name
