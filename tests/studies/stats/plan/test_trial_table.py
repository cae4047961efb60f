import numpy as np
import pytest

from studies.stats.errors import TableError
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import TrialTable, read_table
from tests.studies.stats.plan.test_reading import SMALLEST, changed

HEADER = "id,arm,visit,psqi,sex"
ROWS = ("1,CBT,0,12,F", "1,CBT,8,9,F", "2,GAMC,0,11,M", "2,GAMC,8,,M", "10,CBT,0,9,F")


def read(*rows: str, header: str = HEADER, **plan: object) -> TrialTable:
    text = "\n".join([header, *rows])
    return read_table(text.splitlines(keepends=True), plan_of(changed(**plan)))


def test_a_long_table_becomes_arrays_in_the_order_of_ids() -> None:
    table = read(*ROWS)
    assert table.ids == ("1", "2", "10")
    assert table.levels == ("CBT", "GAMC")
    np.testing.assert_array_equal(table.arms, [0, 1, 0])
    np.testing.assert_array_equal(
        table.outcomes["psqi"], [[12, np.nan, 9], [11, np.nan, np.nan], [9, np.nan, np.nan]]
    )
    assert list(table.strata["sex"]) == ["F", "M", "F"]


def test_the_order_of_rows_and_a_byte_order_mark_change_nothing() -> None:
    assert read(*ROWS[::-1]).digest == read(*ROWS).digest
    assert read(*ROWS, header=f"\ufeff{HEADER}").digest == read(*ROWS).digest
    assert read(*ROWS[:-1], "10,CBT,0,8,F").digest != read(*ROWS).digest


def test_rows_of_other_visits_are_counted_and_left_out() -> None:
    table = read(*ROWS, "1,CBT,24,8,F")
    assert table.warnings == ("1 rows of visits that the plan does not name were left out",)
    assert table.outcomes["psqi"].shape == (3, 3)


def test_missing_codes_are_missing_and_nothing_else_is() -> None:
    for code in ("", "NA", "NaN", "."):
        assert np.isnan(read("1,CBT,0," + code + ",F", *ROWS[2:]).outcomes["psqi"][0, 0])
    with pytest.raises(TableError, match="got '-99 points'") as refusal:
        read("1,CBT,0,-99 points,F", *ROWS[2:])
    assert refusal.value.code == "text_in_number"


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        (("1,CBT,0,twelve,F",), "text_in_number", "column psqi, line 2, got 'twelve'"),
        (("1,CBT,0,\"12,5\",F",), "text_in_number", "got '12,5'"),
        (("1,CBT,0,1_2,F",), "text_in_number", "got '1_2'"),
        (("1,CBT,0,inf,F",), "text_in_number", "got 'inf'"),
        (("1,CBT,0,1e300,F",), "text_in_number", "possible size"),
        (("1,CBT,0,-2+3,F",), "formula_in_cell", "got a formula"),
        (("1,CBT,0,+A1,F",), "formula_in_cell", "got a formula"),
        (("1,CBT,0,=1+1,F",), "formula_in_cell", "got a formula"),
        (("1,CBT,0,12,=cmd|' /C calc'!A0",), "formula_in_cell", "column sex"),
        (("@SUM(A1),CBT,0,12,F",), "formula_in_cell", "column id"),
        ((*ROWS, "1,CBT,8,7,F"), "duplicate_row", "participant 1 at visit 8"),
        ((*ROWS, "1,CBT,8.0,7,F"), "duplicate_row", "visit 8"),
        ((*ROWS, "1,GAMC,4,7,F"), "changing_value", "one arm"),
        ((*ROWS, "1,CBT,4,7,M"), "changing_value", "one value of sex"),
        (("1,,0,12,F",), "unknown_arm", "column arm"),
        ((",CBT,0,12,F",), "missing_value", "column id"),
        (("1,CBT,0,12",), "ragged_row", "5 cells in line 2, got 4"),
        ((), "empty_table", "got none"),
        (("1,CBT,0,12,F",), "too_few_arms", "CBT alone"),
        (("1,GAMC,0,12,F",), "unknown_arm", "reference arm CBT"),
        (('1,CBT,0,"12,F',), "unreadable", "CSV table"),
    ],
)  # fmt: skip
def test_what_is_no_clean_table_is_refused_by_name(
    rows: tuple[str, ...], code: str, words: str
) -> None:
    with pytest.raises(TableError) as refusal:
        read(*rows)
    assert refusal.value.code == code
    assert words in str(refusal.value)


def test_an_arm_that_the_plan_does_not_know_is_refused() -> None:
    with pytest.raises(TableError, match="got 'CTB'") as refusal:
        read(*ROWS, "11,CTB,0,9,F", arms=["CBT", "GAMC"])
    assert refusal.value.code == "unknown_arm"


def test_a_column_that_is_missing_or_there_twice_is_refused() -> None:
    with pytest.raises(TableError, match="the columns sex"):
        read("1,CBT,0,12", header="id,arm,visit,psqi")
    with pytest.raises(TableError, match="psqi twice"):
        read("1,CBT,0,12,F", header="id,arm,visit,psqi,psqi")
    assert SMALLEST["strata"] == ["sex"]


def test_a_table_read_together_knows_no_arm_and_hashes_alike_whoever_had_which():
    plan = plan_of(changed(arms=["CBT", "LSTM_ACM"]))
    rows = ["id,arm,visit,psqi,sex", "1,CBT,0,9,F", "2,LSTM_ACM,0,8,M"]
    swapped = ["id,arm,visit,psqi,sex", "1,LSTM_ACM,0,9,F", "2,CBT,0,8,M"]
    one, other = (read_table(lines, plan, together=True) for lines in (rows, swapped))
    assert one.levels == ("all",)
    assert one.digest == other.digest


def test_an_arm_called_all_is_no_pool():
    plan = plan_of(changed(arms=["CBT", "LSTM_ACM"]))
    with pytest.raises(TableError, match="expected one of CBT, LSTM_ACM"):
        read_table(["id,arm,visit,psqi,sex", "1,all,0,9,F"], plan)
