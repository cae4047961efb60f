from datetime import UTC, date, datetime

import pytest

from studies.design.calendar_file import Days, calendar_file, escaped, folded
from studies.design.windows import visit_window

AT = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)


def _days(zone: str, anchor_on: date) -> Days:
    window = visit_window(anchor_on=anchor_on, week=4, window_days=5, zone=zone)
    return Days("a@b.invalid", window.opens_at, window.closes_at, "One; two, three", "A\\B\nC")


def test_the_file_is_what_rfc_5545_asks_for() -> None:
    text = calendar_file([_days("Asia/Shanghai", date(2026, 3, 2))], written_at=AT)
    assert text.split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Nocturne//Days//EN",
        "CALSCALE:GREGORIAN",
        "BEGIN:VEVENT",
        "UID:a@b.invalid",
        "DTSTAMP:20260302T040005Z",
        "DTSTART:20260324T160000Z",
        "DTEND:20260404T160000Z",
        "SUMMARY:One\\; two\\, three",
        "DESCRIPTION:A\\\\B\\nC",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        # Clocks go forward on 29 March 2026: the window begins at 23:00 UTC and ends at 22:00 UTC.
        ("Europe/Berlin", "20260324T230000Z", "20260404T220000Z"),
        ("Asia/Kolkata", "20260324T183000Z", "20260404T183000Z"),
    ],
)
def test_a_window_across_a_change_of_the_clocks_is_whole_days_of_its_zone(
    zone: str, begins: str, ends: str
) -> None:
    text = calendar_file([_days(zone, date(2026, 3, 2))], written_at=AT)
    assert f"DTSTART:{begins}\r\nDTEND:{ends}\r\n" in text


@pytest.mark.parametrize("text", ["x" * 75, "x" * 76, "x" * 400, "答" * 80, "a" + "夜" * 60])
def test_a_long_line_is_folded_and_comes_back_whole(text: str) -> None:
    lines = folded(text).split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert all(line.startswith(" ") for line in lines[1:])
    assert "".join([lines[0], *(line[1:] for line in lines[1:])]) == text


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_line_break_never_begins_another_property(ending: str) -> None:
    assert escaped(f"a{ending}ATTENDEE:b") == "a\\nATTENDEE:b"
