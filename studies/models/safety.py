"""What may harm a participant: adverse events with their follow-up, and items that want an act.

Staff write their words plainly and name nobody; what a participant wrote lies under seal.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant
from studies.models.state import StateMachine
from studies.models.visit import Assessment


class Severity(models.TextChoices):
    """How strong an event is; not how serious."""

    MILD = "mild", _("Mild")
    MODERATE = "moderate", _("Moderate")
    SEVERE = "severe", _("Severe")


class Relation(models.TextChoices):
    """Whether the study's treatment may have caused it."""

    NONE = "none", _("Not related")
    POSSIBLE = "possible", _("Possibly related")
    RELATED = "related", _("Related")


class EventState(models.TextChoices):
    """Where an adverse event is (`design/states.py` says which moves exist)."""

    REPORTED = "reported", _("Reported")
    TRIAGED = "triaged", _("Triaged")
    OPEN = "open", _("Being followed")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


class ItemKind(models.TextChoices):
    """What an action item asks somebody to look at."""

    NOT_OK = "not_ok", _("Says: I am not OK")
    RULE = "rule", _("An answer met a safety rule")
    SERIOUS = "serious", _("Serious event to be reported")
    TRIAGE = "triage", _("Event to be triaged")
    FOLLOW_UP = "follow_up", _("Event to be followed up")


class ItemState(models.TextChoices):
    """Where an action item is."""

    NEW = "new", _("New")
    ACKNOWLEDGED = "acknowledged", _("Seen")
    ESCALATED = "escalated", _("Overdue, passed on")
    DONE = "done", _("Done")


def severities() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new one needs no migration."""
    return Severity.choices


def relations() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return Relation.choices


def event_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return EventState.choices


def item_kinds() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ItemKind.choices


def item_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ItemState.choices


class AdverseEvent(StateMachine):
    """Something untoward that happened to a participant, whatever its cause."""

    machine = "adverse_event"

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="events", verbose_name=_("participant")
    )
    state = models.CharField(max_length=16, choices=event_states, default=EventState.REPORTED)
    began_on = models.DateField()
    words = models.TextField(help_text="What happened, without a name")
    severity = models.CharField(max_length=16, choices=severities)
    relation = models.CharField(max_length=16, choices=relations)
    is_expected = models.BooleanField(default=False)
    criteria = models.JSONField(
        default=list, help_text="Which criteria make it serious; empty: it is not"
    )
    learned_at = models.DateTimeField(help_text="When staff learned of it: its clock starts here")
    due_at = models.DateTimeField(help_text="By when it is triaged, or reported on if serious")
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    ended_on = models.DateField(null=True)

    class Meta:
        ordering = ["-learned_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.participant_id} event {self.pk}"

    @property
    def is_serious(self) -> bool:
        """Whether a criterion of seriousness is met."""
        return bool(self.criteria)


class EventNote(models.Model):
    """One look at an adverse event: the initial report is followed by any number of them."""

    event = models.ForeignKey(AdverseEvent, models.PROTECT, related_name="notes")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=event_states)
    words = models.TextField(blank=True)
    noted_at = models.DateTimeField()
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["event", "number"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="studies_eventnote_once")
        ]

    def __str__(self) -> str:
        return f"{self.event_id} note {self.number}"

    @property
    def participant(self) -> Participant:
        """Whom it is about."""
        return self.event.participant


class ActionItem(StateMachine):
    """Something that somebody must look at by a time; it stays until it is done."""

    machine = "action_item"

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="items", verbose_name=_("participant")
    )
    kind = models.CharField(max_length=16, choices=item_kinds)
    key = models.CharField(max_length=128, unique=True, help_text="What it is about: opened once")
    state = models.CharField(max_length=16, choices=item_states, default=ItemState.NEW)
    event = models.ForeignKey(AdverseEvent, models.PROTECT, null=True, related_name="items")
    assessment = models.ForeignKey(Assessment, models.PROTECT, null=True, related_name="+")
    told = models.CharField(max_length=200, blank=True, help_text="Which rule, and what met it")
    sealed = models.BinaryField(null=True, help_text="The participant's own words, sealed")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="action_items"
    )
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    note = models.TextField(blank=True, help_text="What was done")

    class Meta:
        ordering = ["due_at", "pk"]
        indexes = [models.Index(fields=["state", "due_at"], name="studies_item_state_due")]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.kind}"
