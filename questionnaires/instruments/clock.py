"""Times of day as minutes after midnight."""

MINUTES_IN_DAY = 1440
MINUTES_IN_HOUR = 60


def minute_of_day(time: str) -> int:
    """Return the minute after midnight of ``HH:MM``, 0 to 1439.

    Examples
    --------
    >>> minute_of_day("23:30")
    1410
    """
    hour, minute = time.split(":")
    return int(hour) * MINUTES_IN_HOUR + int(minute)


def minutes_between(start: int, end: int) -> int:
    """Return the minutes from one minute of the day to the next time the clock shows the other.

    Examples
    --------
    >>> minutes_between(minute_of_day("23:00"), minute_of_day("07:00"))
    480
    """
    return (end - start) % MINUTES_IN_DAY


def time_of_day(minute: int) -> str:
    """Return ``HH:MM`` for a minute after midnight; a minute of the next day wraps round.

    Examples
    --------
    >>> time_of_day(1440 + 30)
    '00:30'
    """
    hour, rest = divmod(minute % MINUTES_IN_DAY, MINUTES_IN_HOUR)
    return f"{hour:02d}:{rest:02d}"
