"""Visit windows in the participant's own time zone, right across daylight-saving changes.

A window is a span of whole local days: target day +- `window_days`. It opens with the first moment
of its first day and closes with the first moment of the day after its last, both as UTC. A form
that somebody is filling in does not close under their fingers: `deadline` gives them half an hour
from the last answer, and twelve hours at most.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

GRACE = timedelta(minutes=30)
GRACE_AT_MOST = timedelta(hours=12)
WAKING_FROM, WAKING_UNTIL = time(6, 30), time(20, 30)


@dataclass(frozen=True, slots=True)
class Window:
    """A visit's target day (local) and the moments it opens and closes (UTC, half-open)."""

    target_on: date
    opens_at: datetime
    closes_at: datetime
    late_until: datetime | None = None

    def contains(self, moment: datetime) -> bool:
        """Return whether the window is open at `moment`."""
        return self.opens_at <= moment < self.closes_at


def visit_window(
    *, anchor_on: date, week: int, window_days: int, zone: str, late_days: int = 0
) -> Window:
    """Return the window of the visit `week` weeks after `anchor_on`; all days are local.

    Parameters
    ----------
    anchor_on : date
        Day of allocation in the participant's zone.
    week : int
        Weeks from the anchor to the target day.
    window_days : int
        Days before and after the target that still count.
    zone : str
        IANA name, e.g. ``Asia/Shanghai``.
    late_days : int
        Days after the window on which answers are still taken, and flagged.
    """
    target_on = anchor_on + timedelta(weeks=week)
    after = target_on + timedelta(days=window_days + 1)
    return Window(
        target_on,
        opens_at=start_of_day(target_on - timedelta(days=window_days), zone),
        closes_at=start_of_day(after, zone),
        late_until=start_of_day(after + timedelta(days=late_days), zone) if late_days else None,
    )


@cache
def known_zones() -> tuple[str, ...]:
    """Return the names of the zones that somebody can be in, by place (`Asia/Shanghai`)."""
    places = (name for name in available_timezones() if "/" in name)
    return tuple(sorted(name for name in places if not name.startswith(("Etc/", "SystemV/"))))


def start_of_day(day: date, zone: str) -> datetime:
    """Return the first moment of a local day, as UTC.

    Where clocks jump over midnight the day begins at the jump; where midnight comes twice it begins
    with the first one.
    """
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    """Return the date that `moment` falls on in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def night_of(moment: datetime, zone: str) -> date:
    """Return the date of the evening that `moment` belongs to; a night ends at noon.

    Somebody who presses play at half past midnight listens to last evening's mix.
    """
    return (moment.astimezone(ZoneInfo(zone)) - timedelta(hours=12)).date()


def morning_of(moment: datetime, zone: str) -> date:
    """Return the date of the latest morning that has come; a morning begins at four o'clock.

    A diary that is opened at half past midnight asks about the night before, not about the one that
    has hardly begun.
    """
    return (moment.astimezone(ZoneInfo(zone)) - timedelta(hours=4)).date()


def is_night(moment: datetime, zone: str) -> bool:
    """Return whether it is time to wind down or to sleep: from half past eight to half past six.

    Pages are dark then, unless somebody has chosen otherwise.
    """
    return not WAKING_FROM <= moment.astimezone(ZoneInfo(zone)).time() < WAKING_UNTIL


def deadline(closes_at: datetime, last_activity_at: datetime | None) -> datetime:
    """Return until when a form may still be sent in, given when it was last touched."""
    if last_activity_at is None or last_activity_at >= closes_at + GRACE_AT_MOST:
        return closes_at
    return min(max(closes_at, last_activity_at + GRACE), closes_at + GRACE_AT_MOST)
