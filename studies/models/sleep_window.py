"""The sleep window of the CBT arm: who may have one, and its history week by week."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant


class Exclusion(models.TextChoices):
    """A reason not to keep a sleep window (`design/sleep_window.py` has the same keys)."""

    BIPOLAR = "bipolar", _("Bipolar disorder, or times of very high mood")
    EPILEPSY = "epilepsy", _("Epilepsy or other fits")
    PARASOMNIA = "parasomnia", _("Sleepwalking, night terrors or another parasomnia")
    APNOEA = "apnoea", _("Untreated sleep apnoea, or pauses in breathing")
    DRIVING_WORK = "driving_work", _("Driving, or work at machines or heights")


class WindowScreening(models.Model):
    """What a therapist found when asking for reasons against a sleep window; the latest holds."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="window_screenings")
    exclusions = models.JSONField(default=list, help_text="Of design/sleep_window.py; none: may")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["participant", "recorded_at", "pk"]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.exclusions}"


class SleepWindow(models.Model):
    """One week's window: the rule's inputs and result, and who confirmed what came of it."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="sleep_windows")
    week = models.PositiveSmallIntegerField(help_text="0 is the first window")
    rule_id = models.CharField(max_length=32)
    rule_version = models.CharField(max_length=16)
    inputs = models.JSONField(help_text="The rule's parameters, the nights, the window before")
    decision = models.CharField(max_length=16)
    proposed_min = models.PositiveSmallIntegerField(help_text="What the rule says, minutes")
    computed_at = models.DateTimeField()
    window_min = models.PositiveSmallIntegerField(null=True, help_text="What was confirmed")
    floor_min = models.PositiveSmallIntegerField(help_text="Never shorter for this person")
    rise_at = models.CharField(max_length=5, help_text="Time to get up, HH:MM; it does not move")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty where the rule was followed without anybody's confirmation",
    )
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was adjusted")

    class Meta:
        ordering = ["participant", "week"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "week"], name="studies_sleepwindow_week_once"
            ),
            models.CheckConstraint(
                condition=models.Q(window_min=None)
                | models.Q(window_min__gte=models.F("floor_min")),
                name="studies_sleepwindow_not_below_its_floor",
            ),
            models.CheckConstraint(
                condition=models.Q(window_min=None, confirmed_at=None)
                | models.Q(window_min__isnull=False, confirmed_at__isnull=False),
                name="studies_sleepwindow_confirmed_has_a_length",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} week {self.week}"

    @property
    def is_confirmed(self) -> bool:
        """Whether it holds, or held."""
        return self.confirmed_at is not None
