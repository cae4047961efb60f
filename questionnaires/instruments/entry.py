"""Flags about how answers were given rather than what they say."""

from collections.abc import Iterable

from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.reading import is_range

FASTEST_LIKELY_MS = 2000  # a mean below two seconds an item is hardly read


def entry_flags(
    instrument: Instrument, entries: Iterable[tuple[str, str, int | None]]
) -> list[str]:
    """Return the flags that raw answers and their times give rise to.

    Parameters
    ----------
    instrument : Instrument
        Whose items were answered.
    entries : iterable of (item key, raw answer, milliseconds or None)
        As kept.

    Returns
    -------
    list of str
        ``<item key>_midpoint`` for each number typed as a range, and ``fast`` for a mean of less
        than two seconds an item where every time is known.
    """
    rows = list(entries)
    flags = [f"{key}_midpoint" for key, raw, _ in rows if is_range(instrument.item(key), raw)]
    times = [elapsed for _, _, elapsed in rows]
    if times and None not in times and sum(times) < FASTEST_LIKELY_MS * len(times):
        flags.append("fast")
    return flags
