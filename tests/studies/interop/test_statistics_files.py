"""The .sav and .dta files, read back by ReadStat (pyreadstat) and by pandas."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from studies.interop.errors import InteropError
from studies.interop.spss import sav
from studies.interop.stata import dta
from studies.interop.variables import Absent, Cell, Kind, Variable, fitting

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TITLE = "睡眠 study"
LONG = "a_name_that_is_longer_than_stata_likes"
VARIABLES = (
    Variable("participant", Kind.TEXT, "Code of the participant", width=11),
    Variable("arm", Kind.TEXT, "Arm", width=20),
    Variable("quality", Kind.CODE, "睡眠质量 of the night", choices=((0, "很好"), (3, "Very bad")),
             may_be_absent=True),
    Variable("temperature", Kind.NUMBER, "Can be -99 itself", low=-200, high=50,
             may_be_absent=True),
    Variable(LONG, Kind.NUMBER, "Score", low=0, high=21),
    Variable("on", Kind.DATE, "Day"),
)  # fmt: skip
ROWS: tuple[tuple[Cell, ...], ...] = (
    ("NQ-ABCDEF-2", "音乐", 3, -99.0, 7.25, date(2026, 3, 1)),
    ("NQ-ABCDEF-3", "CBT", Absent.DECLINED, Absent.SKIPPED, None, None),
    ("NQ-ABCDEF-4", "", Absent.SKIPPED, Absent.DECLINED, 0, date(1959, 12, 31)),
)
Writer = Callable[..., Iterator[bytes]]


def _written(writer: Writer, folder: Path, rows: Iterable[Sequence[Cell]] = ROWS) -> Path:
    path = folder / f"table.{writer.__name__}"
    rows = list(rows)
    path.write_bytes(b"".join(writer(VARIABLES, len(rows), rows, title=TITLE, at=AT)))
    return path


def test_spss_reads_values_labels_and_reasons_for_what_is_missing(tmp_path: Path) -> None:
    frame, about = pyreadstat.read_sav(_written(sav, tmp_path), user_missing=True)
    assert about.file_encoding == "UTF-8"
    assert about.file_label == TITLE
    assert about.number_rows == 3
    assert about.column_names == [variable.name for variable in VARIABLES]
    assert about.column_names_to_labels["quality"] == "睡眠质量 of the night"
    assert about.variable_value_labels["quality"] == {
        0: "很好", 3: "Very bad", -99: "declined", -98: "skipped",
    }  # fmt: skip
    assert about.missing_ranges["quality"] == [
        {"lo": -99.0, "hi": -99.0}, {"lo": -98.0, "hi": -98.0},
    ]  # fmt: skip
    assert list(frame["participant"]) == [row[0] for row in ROWS]
    assert list(frame["arm"]) == ["音乐", "CBT", ""]
    assert list(frame["quality"]) == [3, -99, -98]
    assert list(frame["temperature"]) == [-99, -9_999_998, -9_999_999]
    assert frame[LONG].isna().tolist() == [False, True, False]
    assert frame["on"].tolist()[::2] == [date(2026, 3, 1), date(1959, 12, 31)]
    plain, _about = pyreadstat.read_sav(_written(sav, tmp_path))
    assert plain["quality"].isna().tolist() == [False, True, True]
    assert plain["temperature"].tolist()[0] == -99


def test_stata_reads_values_labels_and_reasons_for_what_is_missing(tmp_path: Path) -> None:
    path = _written(dta, tmp_path)
    frame, about = pyreadstat.read_dta(path, user_missing=True)
    assert about.file_label == TITLE
    assert about.number_rows == 3
    assert about.column_labels[2] == "睡眠质量 of the night"
    assert list(frame["quality"]) == [3, "d", "s"]
    assert list(frame["temperature"]) == [-99, "s", "d"]
    assert frame["on"].tolist()[::2] == [date(2026, 3, 1), date(1959, 12, 31)]
    short = about.column_names[4]
    assert len(short) == 32
    assert frame[short].tolist()[::2] == [7.25, 0]
    other = pd.io.stata.StataReader(path)
    with other:
        again = other.read(convert_categoricals=False)
        assert other.data_label == TITLE
        assert other.variable_labels()["quality"] == "睡眠质量 of the night"
        assert other.value_labels()["labels3"][0] == "很好"
    assert again["quality"].isna().tolist() == [False, True, True]
    assert list(again["arm"]) == ["音乐", "CBT", ""]
    assert again["on"].tolist()[0] == pd.Timestamp("2026-03-01")


@pytest.mark.parametrize("writer", [sav, dta])
def test_a_table_of_many_rows_or_none_comes_back(writer: Writer, tmp_path: Path) -> None:
    read = {sav: pyreadstat.read_sav, dta: pyreadstat.read_dta}[writer]
    many = [(f"P{n}", "x", n % 4, float(n), n / 7, date(2026, 1, 1)) for n in range(1001)]
    frame, _about = read(_written(writer, tmp_path, many))
    assert frame.iloc[:, 4].tolist() == [n / 7 for n in range(1001)]
    frame, _about = read(_written(writer, tmp_path, []))
    assert len(frame) == 0


@pytest.mark.parametrize("writer", [sav, dta])
def test_another_number_of_rows_is_refused(writer: Writer) -> None:
    with pytest.raises(InteropError, match="expected 4 rows, got 3"):
        list(writer(VARIABLES, 4, ROWS, title=TITLE, at=AT))


@pytest.mark.parametrize("writer", [sav, dta])
def test_a_text_is_never_cut_silently(writer: Writer) -> None:
    row = ("a code that is far too long", *ROWS[0][1:])
    with pytest.raises(InteropError, match="participant: expected at most 11 bytes"):
        list(writer(VARIABLES, 1, [row], title=TITLE, at=AT))


def test_the_same_rows_at_the_same_moment_are_the_same_bytes(tmp_path: Path) -> None:
    for writer in (sav, dta):
        first = _written(writer, tmp_path).read_bytes()
        assert _written(writer, tmp_path).read_bytes() == first


def test_names_that_are_cut_stay_apart() -> None:
    names = fitting(["same_beginning_a", "same_beginning_b", "Same_beginning", "x"], 14)
    assert names == ["same_beginning", "same_beginni_2", "Same_beginni_3", "x"]


def test_a_text_without_a_width_is_refused() -> None:
    with pytest.raises(InteropError, match="expected a width of 1 to 255"):
        Variable("arm", Kind.TEXT, "Arm")
