from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.design.windows import (
    deadline,
    is_night,
    local_day,
    morning_of,
    night_of,
    start_of_day,
    visit_window,
)

ZONES = sorted(available_timezones() - {"Factory", "localtime"})


@settings(max_examples=200, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    anchor_on=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    week=st.integers(1, 52),
    window_days=st.integers(0, 13),
)
def test_a_window_holds_its_local_days_and_no_others(
    zone: str, anchor_on: date, week: int, window_days: int
) -> None:
    window = visit_window(anchor_on=anchor_on, week=week, window_days=window_days, zone=zone)
    assert window.target_on - anchor_on == timedelta(weeks=week)
    for days in range(-window_days - 1, window_days + 2):
        noon = datetime.combine(
            window.target_on + timedelta(days=days), datetime.min.time(), ZoneInfo(zone)
        ).replace(hour=12)
        assert window.contains(noon) == (abs(days) <= window_days)


@settings(max_examples=200, deadline=None)
@given(zone=st.sampled_from(ZONES), day=st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_a_day_starts_with_its_first_moment(zone: str, day: date) -> None:
    start = start_of_day(day, zone)
    assert local_day(start, zone) == day
    assert local_day(start - timedelta(microseconds=1), zone) == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "anchor_on", "opens_at", "closes_at"),
    [
        # Clocks go forward on 29 March 2026 in Berlin, inside the window.
        ("Europe/Berlin", date(2026, 3, 1), "2026-03-23T23:00", "2026-04-03T22:00"),
        # No daylight saving; midnight in Shanghai is 16:00 UTC of the day before.
        ("Asia/Shanghai", date(2026, 3, 1), "2026-03-23T16:00", "2026-04-03T16:00"),
        # Clocks jump over midnight into 24 April 2026 in Cairo: that day begins at 01:00.
        ("Africa/Cairo", date(2026, 4, 1), "2026-04-23T22:00", "2026-05-04T21:00"),
    ],
)
def test_windows_across_clock_changes(
    zone: str, anchor_on: date, opens_at: str, closes_at: str
) -> None:
    window = visit_window(anchor_on=anchor_on, week=4, window_days=5, zone=zone)
    assert window.opens_at == datetime.fromisoformat(opens_at).replace(tzinfo=UTC)
    assert window.closes_at == datetime.fromisoformat(closes_at).replace(tzinfo=UTC)


def test_half_past_midnight_belongs_to_the_evening_before() -> None:
    half_past_midnight = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    assert local_day(half_past_midnight, "Asia/Shanghai") == date(2026, 3, 3)
    assert night_of(half_past_midnight, "Asia/Shanghai") == date(2026, 3, 2)
    assert night_of(half_past_midnight + timedelta(hours=12), "Asia/Shanghai") == date(2026, 3, 3)


def test_a_night_that_has_hardly_begun_has_no_morning_yet() -> None:
    half_past_midnight = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)
    assert morning_of(half_past_midnight, "Asia/Shanghai") == date(2026, 3, 2)
    assert morning_of(half_past_midnight + timedelta(hours=4), "Asia/Shanghai") == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("local", "dark"),
    [("20:29", False), ("20:30", True), ("00:10", True), ("06:29", True), ("06:30", False)],
)
def test_it_is_night_where_somebody_lives(local: str, dark: bool) -> None:
    hour, minute = map(int, local.split(":"))
    moment = datetime(2026, 3, 3, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    assert is_night(moment, "Asia/Shanghai") is dark


def test_nobody_is_shut_out_while_typing() -> None:
    closes = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
    assert deadline(closes, None) == closes
    assert deadline(closes, closes - timedelta(hours=2)) == closes
    assert deadline(closes, closes - timedelta(minutes=10)) == closes + timedelta(minutes=20)
    typing_on = closes + timedelta(hours=11, minutes=50)
    assert deadline(closes, typing_on) == closes + timedelta(hours=12)
    assert deadline(closes, closes + timedelta(hours=13)) == closes
