"""Visits with their windows, and the assessments that belong to them."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from questionnaires.models import Response
from studies.models.participant import Participant
from studies.models.state import StateMachine


class AssessmentState(models.TextChoices):
    """Where an assessment is; open and missed follow from the visit's window and the clock."""

    SCHEDULED = "scheduled", _("Not open yet")
    OPEN = "open", _("Open")
    IN_PROGRESS = "in_progress", _("Begun")
    LATE = "late", _("Late")
    SUBMITTED = "submitted", _("Complete")
    MISSED = "missed", _("Missed")
    CANCELLED = "cancelled", _("Cancelled")


def assessment_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return AssessmentState.choices


class Visit(models.Model):
    """A planned visit of a participant with its window; all moments are UTC."""

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="visits", verbose_name=_("participant")
    )
    week = models.PositiveSmallIntegerField(_("week"), help_text=_("0 is baseline"))
    target_on = models.DateField(_("target date"))
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    late_until = models.DateTimeField(
        _("late until"),
        null=True,
        blank=True,
        help_text=_("Until when answers are still taken, and flagged; empty: until it closes"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("visit"), _("visits")
        ordering = ["participant", "week"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "week"], name="studies_visit_week_once"),
            models.CheckConstraint(
                condition=models.Q(closes_at__isnull=True)
                | models.Q(opens_at__lt=models.F("closes_at")),
                name="studies_visit_opens_before_it_closes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} week {self.week}"

    @property
    def ends_at(self) -> datetime | None:
        """When nothing is taken any more; ``None`` where there is no end."""
        return self.late_until or self.closes_at


class Assessment(StateMachine):
    """One instrument at one visit; its answers lie in a questionnaires response."""

    machine = "assessment"

    visit = models.ForeignKey(
        Visit, models.PROTECT, related_name="assessments", verbose_name=_("visit")
    )
    instrument = models.CharField(_("instrument"), max_length=32)
    position = models.PositiveSmallIntegerField(_("position"))
    state = models.CharField(
        _("state"), max_length=16, choices=assessment_states, default=AssessmentState.SCHEDULED
    )
    response = models.OneToOneField(
        Response,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("response"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("assessment"), _("assessments")
        ordering = ["visit", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "instrument"], name="studies_assessment_instrument_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.visit} {self.instrument}"


class PaperForm(models.Model):
    """That an assessment was answered on paper, and entered by staff."""

    assessment = models.OneToOneField(
        Assessment, models.PROTECT, related_name="paper", verbose_name=_("assessment")
    )
    filled_on = models.DateField(_("filled in on"), help_text=_("The date on the paper"))
    filled_at = models.DateTimeField(
        _("counts as"), help_text=_("Noon of that day in the participant's zone")
    )
    entered_by = models.CharField(_("entered by"), max_length=150)
    entered_at = models.DateTimeField(_("entered"))

    class Meta:
        verbose_name, verbose_name_plural = _("paper form"), _("paper forms")

    def __str__(self) -> str:
        return f"{self.assessment} on paper"
