"""What every job of the statistics has: the row is the job, a message only wakes a worker up."""

import uuid
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    """Where a job is (`services/results/jobs.py` moves it)."""

    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


def run_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return RunState.choices


class JobQuerySet(models.QuerySet):
    """Which jobs are due, and which are under way."""

    def due(self, now: datetime) -> "JobQuerySet":
        """Return what waits, and what a silent worker left behind, oldest first."""
        waiting = models.Q(state=RunState.QUEUED)
        left = models.Q(state=RunState.RUNNING, lease_until__lt=now)
        return self.filter(waiting | left, cancel_requested=False).order_by("requested_at")

    def under_way(self) -> "JobQuerySet":
        """Return what waits or runs."""
        return self.filter(state__in=UNDER_WAY)


class Job(models.Model):
    """One piece of work for a worker: who asked for it, how far it is, how it ended."""

    MESSAGE_LENGTH = 500

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=run_states, default=RunState.QUEUED)
    progress = models.FloatField(_("progress"), default=0.0, help_text=_("0 to 1"))
    step = models.CharField(_("step"), max_length=64, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    cancel_requested = models.BooleanField(_("to be cancelled"), default=False)
    is_blinded = models.BooleanField(_("arms together"), default=True)
    requested_by = models.CharField(_("requested by"), max_length=150)
    requested_at = models.DateTimeField(_("requested"))
    cut_at = models.DateTimeField(_("state of the data"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    message = models.CharField(_("message"), max_length=MESSAGE_LENGTH, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        """It waits or runs."""
        return self.state in UNDER_WAY
