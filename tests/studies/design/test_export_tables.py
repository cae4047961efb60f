from datetime import date
from pathlib import Path

import pytest

from studies.design.export_tables import TABLES, markdown, safe

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-dictionary.md"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [(None, ""), (-1.5, -1.5), (0, 0), ("23:30", "23:30"), (date(2026, 3, 2), date(2026, 3, 2))],
)
def test_other_cells_stay_as_they_are(cell: object, written: object) -> None:
    assert safe(cell) == written


def test_column_names_are_once_a_table() -> None:
    for columns in TABLES.values():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)


def test_the_document_is_made_from_the_tables() -> None:
    assert markdown() in DOCUMENT.read_text(encoding="utf-8")
