from datetime import date, timedelta

from studies.selectors.diary import DiaryRow
from studies.templatetags.diary_chart import SHOWN_NIGHTS, diary_bars

MONDAY = date(2026, 3, 2)


def row(day: int, in_bed: float | None = 480) -> DiaryRow:
    values = {"tib_min": in_bed, "tst_min": None}
    return DiaryRow("AA-BBBB-C", MONDAY + timedelta(days=day), values, (), 0)


def lefts(*rows: DiaryRow) -> list[float]:
    return [float(bar["x"]) for bar in diary_bars(rows)["bars"]]


def test_nights_that_nobody_wrote_leave_their_room() -> None:
    first, second, fourth = lefts(row(0), row(1), row(3))
    assert round(fourth - second, 1) == round(2 * (second - first), 1)


def test_a_last_night_that_cannot_be_derived_is_a_gap_and_the_axis_goes_to_it() -> None:
    chart = diary_bars([row(0), row(1), row(2, in_bed=None)])
    assert len(chart["bars"]) == 2
    assert "4" in chart["last"]


def test_what_is_longer_ago_than_there_is_room_is_left_out() -> None:
    chart = diary_bars([row(0), row(SHOWN_NIGHTS), row(SHOWN_NIGHTS + 3)])
    assert len(chart["rows"]) == 2
    assert diary_bars([])["bars"] == []
