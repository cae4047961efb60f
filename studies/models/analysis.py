"""The analysis plan in versions, and the runs that carried it out.

A version that was locked never changes again: a database trigger holds that (migration that
follows this table's). A run's row is the job; a message only wakes a worker up.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.jobs import Job, RunState, run_states
from studies.models.state import StateMachine
from studies.models.study import Study

# `run_states` under the name by which the migration of these tables knows it.
__all__ = ["AnalysisPlanVersion", "AnalysisRun", "PlanState", "RunState", "run_states"]


class PlanState(models.TextChoices):
    """Where a version of the analysis plan is (`services/planning/plans.py` moves it)."""

    DRAFT = "draft", _("Draft")
    LOCKED = "locked", _("Locked")
    SUPERSEDED = "superseded", _("Superseded")


def plan_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return PlanState.choices


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


class AnalysisRun(Job):
    """One analysis of the data as they stood: its progress, and the folder with its results."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="analysis_runs", verbose_name=_("study")
    )
    plan = models.ForeignKey(
        AnalysisPlanVersion, models.PROTECT, related_name="runs", verbose_name=_("analysis plan")
    )
    data_sha256 = models.CharField(_("SHA-256 of the data"), max_length=64, blank=True)
    results_sha256 = models.CharField(_("SHA-256 of the results"), max_length=64, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("analysis"), _("analyses")
        ordering = ["-requested_at"]

    def __str__(self) -> str:
        return f"{self.study} {self.id} {self.state}"
