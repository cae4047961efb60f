import pytest

from studies.stats.analysis.baseline_table import label_row, number_row
from tests.studies.stats.analysis.test_running import analysed, made_rows
from tests.studies.stats.reference_trials import ARMS, numbers, table
from tests.studies.stats.references import TOLERANCE, needs_references, results


@needs_references
@pytest.mark.parametrize("name", ["age", "psqi_0"])
def test_standardised_differences_of_numbers_are_those_of_r(name: str) -> None:
    arms = [row["arm"] for row in table("s03_sim200")]
    row = number_row(name, numbers("s03_sim200", name)[:, 0], arms, ARMS)
    for pair, theirs in results("s03_sim200")["smd"][name].items():
        assert row.differences[tuple(pair.split("|"))] == pytest.approx(theirs, rel=TOLERANCE)
    assert row.largest == max(abs(value) for value in row.differences.values())


@needs_references
@pytest.mark.parametrize("name", ["sex", "site"])
def test_standardised_differences_of_labels_are_those_of_yang_and_dalton(name: str) -> None:
    rows = table("s03_sim200")
    row = label_row(name, [r[name] for r in rows], [r["arm"] for r in rows], ARMS)
    for pair, theirs in results("s03_sim200")["smd"][name].items():
        assert row.differences[tuple(pair.split("|"))] == pytest.approx(theirs, rel=TOLERANCE)
    assert sum(row.arms["CBT"].values()) == 50


def test_what_has_no_spread_has_no_difference() -> None:
    arms, levels = ["A", "A", "B", "B"], ("A", "B")
    assert number_row("age", [15, 15, 15, 15], arms, levels).largest is None
    one = label_row("sex", ["F", "F", "F", ""], arms, levels)
    assert one.largest is None
    assert one.n_missing == {"A": 0, "B": 1}
    empty = number_row("age", [1, 2, 3, 4], arms, ("A", "C"))
    assert empty.differences[("A", "C")] is None


def test_the_dose_came_after_randomisation_and_is_no_baseline():
    rows = [row | {"minutes": 0 if row["arm"] == "CBT" else 600} for row in made_rows(12)]
    names = [row["name"] for row in analysed(rows, adherence="minutes").as_data()["baseline_table"]]
    assert names == ["sex", "psqi at baseline"]
