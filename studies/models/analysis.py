"""The analysis plan in versions, and the runs that carried it out.

A version that was locked never changes again: a database trigger holds that (migration that
follows this table's). A run's row is the job; a message only wakes a worker up.
"""

import uuid
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.state import StateMachine
from studies.models.study import Study


class PlanState(models.TextChoices):
    """Where a version of the analysis plan is (`services/planning/plans.py` moves it)."""

    DRAFT = "draft", _("Draft")
    LOCKED = "locked", _("Locked")
    SUPERSEDED = "superseded", _("Superseded")


class RunState(models.TextChoices):
    """Where a run of the analysis is (`services/results/runs.py` and the worker move it)."""

    QUEUED = "queued", _("Waiting for a worker")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


def plan_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return PlanState.choices


def run_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return RunState.choices


class AnalysisPlanVersion(StateMachine):
    """One version: the plan as JSON data (docs/statistics.md), its hash, and when it was locked."""

    machine = "analysis_plan"

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="analysis_plans", verbose_name=_("study")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(
        _("state"), max_length=16, choices=plan_states, default=PlanState.DRAFT
    )
    content = models.JSONField(_("content"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    reason = models.CharField(_("reason of the change"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=150)
    locked_at = models.DateTimeField(_("locked"), null=True, blank=True)
    locked_by = models.CharField(_("locked by"), max_length=150, blank=True)
    is_before_unblinding = models.BooleanField(
        _("locked before unblinding"), default=False, help_text=_("Nobody had seen an arm by then")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("analysis plan"), _("analysis plans")
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "number"], name="studies_analysisplanversion_number_once"
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=models.Q(state=PlanState.DRAFT),
                name="studies_analysisplanversion_one_draft",
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=models.Q(state=PlanState.LOCKED),
                name="studies_analysisplanversion_one_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} analysis plan {self.number}"


class AnalysisRunQuerySet(models.QuerySet):
    """Which runs are due, and which are given up."""

    def due(self, now: datetime) -> "AnalysisRunQuerySet":
        """Return what waits, and what a silent worker left behind, oldest first."""
        waiting = models.Q(state=RunState.QUEUED)
        left = models.Q(state=RunState.RUNNING, lease_until__lt=now)
        return self.filter(waiting | left, cancel_requested=False).order_by("requested_at")


class AnalysisRun(models.Model):
    """One analysis of the data as they stood: its progress, and the folder with its results."""

    MESSAGE_LENGTH = 500

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(
        Study, models.PROTECT, related_name="analysis_runs", verbose_name=_("study")
    )
    plan = models.ForeignKey(
        AnalysisPlanVersion, models.PROTECT, related_name="runs", verbose_name=_("analysis plan")
    )
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
    data_sha256 = models.CharField(_("SHA-256 of the data"), max_length=64, blank=True)
    results_sha256 = models.CharField(_("SHA-256 of the results"), max_length=64, blank=True)
    message = models.CharField(_("message"), max_length=MESSAGE_LENGTH, blank=True)

    objects = AnalysisRunQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("analysis"), _("analyses")
        ordering = ["-requested_at"]

    def __str__(self) -> str:
        return f"{self.study} {self.id} {self.state}"

    @property
    def is_under_way(self) -> bool:
        """It waits or runs."""
        return self.state in (RunState.QUEUED, RunState.RUNNING)
