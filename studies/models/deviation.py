"""Deviations from the protocol: found by the rules, or noted by hand; then looked into."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant
from studies.models.state import StateMachine
from studies.models.visit import Visit


class DeviationKind(models.TextChoices):
    """What departed from the protocol."""

    OUT_OF_WINDOW = "out_of_window", _("Answered after the window")
    MISSED_VISIT = "missed_visit", _("Visit missed")
    SHORT_INTERVAL = "short_interval", _("Asked about a month less than 21 days apart")
    LATE_TITRATION = "late_titration", _("Sleep window waited too long")
    MANUAL = "manual", _("Noted by hand")


# What only the arm with lessons can have is not shown to blinded staff.
TELLS_THE_ARM = frozenset({DeviationKind.LATE_TITRATION})
# Under this name the trail has them, so that a blinded reader's trail can leave them out.
NOTE_UNBLINDING = "note_titration"


class DeviationState(models.TextChoices):
    """Whether somebody has looked into it."""

    NOTED = "noted", _("Noted")
    ASSESSED = "assessed", _("Looked into")


class Impact(models.TextChoices):
    """What a deviation means for people and results."""

    NONE = "none", _("None")
    MINOR = "minor", _("Minor")
    MAJOR = "major", _("Major")


def deviation_kinds() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return DeviationKind.choices


def deviation_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return DeviationState.choices


def impacts() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return Impact.choices


class Deviation(StateMachine):
    """One departure from the protocol."""

    machine = "deviation"

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="deviations")
    kind = models.CharField(max_length=16, choices=deviation_kinds)
    key = models.CharField(max_length=96, unique=True, help_text="What it is about: noted once")
    state = models.CharField(max_length=16, choices=deviation_states, default=DeviationState.NOTED)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: found by the rules",
    )
    words = models.TextField(blank=True, help_text="What happened, without a name")
    impact = models.CharField(max_length=16, choices=impacts, blank=True)
    measures = models.TextField(blank=True, help_text="What was done, and so that it stays away")
    assessed_at = models.DateTimeField(null=True)
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-happened_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.kind}"
