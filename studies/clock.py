"""The one clock of the trial: web, worker, scheduler and tests all ask here what time it is.

A real study runs on the real clock. Demonstration and test modes may move it: the offset lies in
one small file in the state directory, so every process of the installation sees it at once; and a
block of code can be run `at` a moment of its own, which is how a study's eight weeks are carried
through the services in seconds. Leases and heartbeats of workers are technical, not trial, time:
they use the real clock.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from studies.exceptions import ClockIsFixed

_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """Return the trial's present moment, aware, in UTC."""
    if not settings.NOCTURNE_MOVABLE_CLOCK:
        return timezone.now()
    return _moment.get() or timezone.now() + offset()


def today(zone: str) -> date:
    """Return the present date in the time zone `zone` (an IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


def offset() -> timedelta:
    """Return how far the clock has been moved ahead of the real one."""
    try:
        return timedelta(seconds=float(settings.NOCTURNE_CLOCK_FILE.read_text(encoding="ascii")))
    except FileNotFoundError:
        return timedelta()


def move(by: timedelta) -> datetime:
    """Move the clock by `by` for every process of this installation; return the new moment."""
    _require_movable()
    total = (offset() + by).total_seconds()
    file = settings.NOCTURNE_CLOCK_FILE
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(repr(total), encoding="ascii")
    draft.replace(file)
    return now()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Run a block as if it were `moment` (aware); only this thread of execution sees it."""
    _require_movable()
    token = _moment.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _moment.reset(token)


def _require_movable() -> None:
    if not settings.NOCTURNE_MOVABLE_CLOCK:
        raise ClockIsFixed
