"""Contact time: how long somebody was with a lesson, from the moments its pages were opened.

A page counts until the next one, three minutes at most: whoever puts the phone away is not with the
lesson. After half an hour without a page a new sitting begins. The last page of a sitting counts
nothing. So the sum is a lower bound, like the minutes of music that were really heard.
"""

from datetime import datetime, timedelta

IDLE_AFTER = timedelta(minutes=3)
NEW_SITTING_AFTER = timedelta(minutes=30)


def continues(last_at: datetime, now: datetime) -> bool:
    """Return whether a page opened `now` belongs to the sitting last seen at `last_at`."""
    return timedelta() <= now - last_at <= NEW_SITTING_AFTER


def counted_s(last_at: datetime, now: datetime) -> float:
    """Return the seconds that the page before counts, 0 to 180.

    Examples
    --------
    >>> start = datetime(2026, 11, 22, 19, 0)
    >>> counted_s(start, start + timedelta(seconds=40))
    40.0
    >>> counted_s(start, start + timedelta(minutes=20))
    180.0
    """
    return min(max(now - last_at, timedelta()), IDLE_AFTER).total_seconds()
