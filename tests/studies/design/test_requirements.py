"""Every requirement has tests that exist, or says why it has none."""

import ast
from functools import cache
from pathlib import Path

import pytest

from studies.design.errors import DesignError
from studies.design.requirements import requirements

ROOT = Path(__file__).parents[3]
# What a trial must not do without: these may not be excused with a reason.
INDISPENSABLE = {
    "A1", "A2", "A3", "A4", "A6", "B1", "B2", "B3", "C1", "D1", "D3", "E1", "E2", "F1",
}  # fmt: skip
NUMBERS = {"A": 6, "B": 3, "C": 5, "D": 3, "E": 2, "F": 1, "G": 6, "H": 3, "I": 1}


@cache
def _tests_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_test_that_the_table_names_exists() -> None:
    named = [test for row in requirements() for test in row.tests]
    assert [
        test for test in named if test.split("::")[1] not in _tests_in(test.split("::")[0])
    ] == []
    assert all("::test_" in test for test in named)


def test_every_requirement_of_the_trials_design_is_there_once() -> None:
    expected = [f"{part}{number}" for part, n in NUMBERS.items() for number in range(1, n + 1)]
    assert [row.number for row in requirements()] == expected


def test_what_a_trial_must_not_do_without_is_covered() -> None:
    assert {row.number for row in requirements() if row.is_covered} >= INDISPENSABLE


@pytest.mark.parametrize("row", ["", 'tests = ["a::b"]\nreason = "both"'])
def test_neither_tests_nor_a_reason_and_both_are_refused(row: str) -> None:
    with pytest.raises(DesignError, match="tests or a reason were expected for requirement X9"):
        requirements(f'[X9]\ntitle = "Something"\n{row}')
