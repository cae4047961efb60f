from datetime import UTC, datetime, timedelta

import pytest

from studies.design.contact_time import continues, counted_s

START = datetime(2026, 11, 22, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "counted"), [(0, 0), (40, 40), (180, 180), (181, 180), (-5, 0)]
)
def test_a_page_counts_until_the_next_one_and_three_minutes_at_most(seconds, counted) -> None:
    assert counted_s(START, START + timedelta(seconds=seconds)) == counted


@pytest.mark.parametrize(("minutes", "is_same"), [(0, True), (30, True), (31, False), (-1, False)])
def test_half_an_hour_without_a_page_begins_a_new_sitting(minutes, is_same) -> None:
    assert continues(START, START + timedelta(minutes=minutes)) is is_same
