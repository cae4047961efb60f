"""The life of a job whose row is the job: claim, report, hand in, cancel, sweep.

As for playlists (docs/adr/0003): a claim is a conditional update under a fresh lease, every report
repeats the lease, and only its holder publishes. Leases run on the real clock.
"""

import logging
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from celery import current_app
from django.conf import settings
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnreachable

from studies.exceptions import RunRefused
from studies.models.jobs import Job, JobQuerySet, RunState

logger = logging.getLogger(__name__)

# What a file or folder is called while a worker fills it.
AT_WORK = "at-work-"
ATTEMPTS_MAX = 3

Row = TypeVar("Row", bound=Job)


class Stopped(Exception):
    """The job was cancelled, or is another worker's by now."""


def claim(model: type[Row], key: UUID) -> Row | None:
    """Take the row under a fresh lease; of two workers, the second one finds nothing."""
    now = timezone.now()
    taken = model.objects.due(now).filter(pk=key)
    if not taken.update(
        state=RunState.RUNNING, lease=uuid4(), lease_until=now + _lease(), progress=0.0, step="",
        attempt=F("attempt") + 1,
    ):  # fmt: skip
        return None
    return model.objects.select_related("study").get(pk=key)


def go_on(run: Job, progress: float, step: str) -> None:
    """Report progress and renew the lease; raises Stopped when the row is not ours any more."""
    held = held_by(run).filter(cancel_requested=False)
    if not held.update(progress=progress, step=step[:64], lease_until=timezone.now() + _lease()):
        raise Stopped


def hand_in(run: Job, facts: dict[str, Any]) -> None:
    """Mark a job done, in the transaction of the caller; raises Stopped when it is not ours."""
    held = held_by(run).select_for_update().filter(state=RunState.RUNNING, cancel_requested=False)
    if not held.update(
        state=RunState.DONE, progress=1.0, step="", finished_at=timezone.now(), **facts
    ):
        raise Stopped


def end(run: Job, state: str, message: str = "") -> None:
    """Mark a job as one that failed or was cancelled, if it is still ours."""
    held_by(run).filter(state=RunState.RUNNING).update(
        state=state, finished_at=timezone.now(), message=message[: Job.MESSAGE_LENGTH]
    )


def cancel(run: Job, what: str) -> None:
    """Cancel at once what waits; ask the worker to stop what it is working on.

    Raises RunRefused where it has ended.
    """
    row = type(run).objects.filter(pk=run.pk)
    ended = {"state": RunState.CANCELLED, "finished_at": timezone.now()}
    if not row.filter(state=RunState.QUEUED).update(cancel_requested=True, **ended) and not (
        row.filter(state=RunState.RUNNING).update(cancel_requested=True)
    ):
        raise RunRefused(f"{what} under way", "one that has ended")
    run.refresh_from_db()


def sweep(model: type[Job], task: str) -> int:
    """Wake a worker for every job that waits or was left behind; return how many there were."""
    now = timezone.now()
    left = model.objects.filter(state=RunState.RUNNING, lease_until__lt=now)
    left.filter(cancel_requested=True).update(state=RunState.CANCELLED, finished_at=now)
    left.filter(attempt__gte=ATTEMPTS_MAX).update(
        state=RunState.FAILED, finished_at=now, message="the worker fell silent three times"
    )
    due = list(model.objects.due(now).values_list("pk", flat=True))
    for key in due:
        wake(task, key)
    return len(due)


def wake(task: str, key: UUID) -> None:
    """Send a wake-up call by the task's name; without a broker the next sweep does."""
    try:
        current_app.send_task(task, args=[str(key)], retry=False)
    except BrokerUnreachable:
        logger.warning("no broker: %s %s waits for the next sweep", task, key)


def held_by(run: Job) -> JobQuerySet:
    """Return the row as long as this worker holds it."""
    return type(run).objects.filter(pk=run.pk, lease=run.lease)


def _lease() -> timedelta:
    # Twenty imputations of a large trial may pass between two reports of progress.
    return timedelta(seconds=10 * settings.NOCTURNE_LEASE_S)
