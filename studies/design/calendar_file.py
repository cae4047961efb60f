"""An iCalendar file: a few days to come, for whatever calendar somebody keeps.

Moments are written in UTC, so a window that was reckoned on its owner's own clock stays right when
clocks change and wherever the calendar is read.

References
----------
RFC 5545 (iCalendar): 3.1 content lines and folding, 3.3.11 text, 3.6.1 events, 3.8.7.2 DTSTAMP.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

LINE_OCTETS = 75
PRODUCT = "-//Nocturne//Days//EN"


@dataclass(frozen=True, slots=True)
class Days:
    """One entry of a calendar.

    Parameters
    ----------
    uid : str
        The same whenever the same days are written, and of no other days in the world.
    begins_at, ends_at : datetime
        Aware; the end is the first moment after.
    title, words : str
        What the calendar shows, and what it tells when somebody looks closer.
    """

    uid: str
    begins_at: datetime
    ends_at: datetime
    title: str
    words: str


def calendar_file(days: Iterable[Days], *, written_at: datetime) -> str:
    """Return the file's text, in lines that end with CR LF.

    Parameters
    ----------
    days : iterable of Days
        At least one: RFC 5545 knows no empty calendar.
    written_at : datetime
        When the entries are what they say; a calendar that has them already takes the newer ones.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        *(line for one in days for line in _event(one, written_at)),
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def folded(line: str) -> str:
    """Return a content line in pieces of 75 octets at most, never parted within a character."""
    pieces, piece, room = [], "", LINE_OCTETS
    for character in line:
        n_octets = len(character.encode())
        if n_octets > room:
            pieces.append(piece)
            # The space that marks a continuation is an octet of its line.
            piece, room = "", LINE_OCTETS - 1
        piece, room = piece + character, room - n_octets
    return "\r\n ".join([*pieces, piece])


def escaped(text: str) -> str:
    """Return a text as the value of a property."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        text = text.replace(plain, written)
    return "\\n".join(text.splitlines())


def _event(days: Days, written_at: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{days.uid}"
    yield f"DTSTAMP:{_utc(written_at)}"
    yield f"DTSTART:{_utc(days.begins_at)}"
    yield f"DTEND:{_utc(days.ends_at)}"
    yield f"SUMMARY:{escaped(days.title)}"
    yield f"DESCRIPTION:{escaped(days.words)}"
    yield "CLASS:PRIVATE"
    # Somebody who may answer on any of eleven days is not busy for eleven days.
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
