"""One supervisor, or one restore, at a time in a state directory."""

import fcntl
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError


def take_lock(path: Path) -> IO[str]:
    """Return the lock, held until it is closed or the process ends."""
    lock = path.open("a", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise CommandError(
            f"A stopped installation was expected, this one runs (its lock is {path}). Stop it "
            "first, or use a state directory of its own: NOCTURNE_VAR."
        ) from error
    return lock
