"""Reminders that went out or were held back, and who wants none."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant


class ReminderState(models.TextChoices):
    """Where a reminder is; there is no row before its day has come."""

    HELD = "held", _("Held back")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")


def reminder_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ReminderState.choices


class Reminder(models.Model):
    """One step of one reminder by one channel; its key exists once, so it goes out once."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="reminders")
    key = models.CharField(max_length=96, unique=True, help_text="Subject, step and channel")
    planned_on = models.DateField(help_text="The day it belongs to, in the participant's zone")
    state = models.CharField(max_length=16, choices=reminder_states)
    reason = models.CharField(max_length=32, blank=True, help_text="Why it is held back")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, help_text="Not tried again before")
    changed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["participant", "planned_on", "pk"]

    def __str__(self) -> str:
        return self.key


class ReminderChoice(models.Model):
    """Whether somebody wants no reminders; nobody is asked why."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="reminder_choice")
    is_stopped = models.BooleanField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.participant_id} {'stopped' if self.is_stopped else 'on'}"
