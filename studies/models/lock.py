"""Locks: what was checked and may not be edited any more, from one answer to the whole database."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant
from studies.models.state import StateMachine
from studies.models.study import Study


class LockLevel(models.TextChoices):
    """How much a lock holds, the least first."""

    ITEM = "item", _("One answer")
    FORM = "form", _("A questionnaire")
    VISIT = "visit", _("A visit")
    PARTICIPANT = "participant", _("A participant")
    STUDY = "study", _("The whole database")


class LockState(models.TextChoices):
    """Where a lock is; opening it takes two people."""

    LOCKED = "locked", _("Locked")
    UNLOCK_ASKED = "unlock_asked", _("Waiting for a second person")
    UNLOCKED = "unlocked", _("Unlocked")


class LooseKind(models.TextChoices):
    """What may still be open when a database is locked."""

    SHEET = "sheet", _("Questionnaires not handed in")
    QUERY = "query", _("Queries not closed")
    ITEM = "item", _("Safety items not done")
    EVENT = "event", _("Serious events not closed")
    DEVIATION = "deviation", _("Deviations not looked into")
    UNLOCKING = "unlocking", _("Locks that somebody asked to open")


def loose_kinds() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return LooseKind.choices


def lock_levels() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return LockLevel.choices


def lock_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return LockState.choices


class LockQuerySet(models.QuerySet):
    """Which locks hold now."""

    def in_force(self) -> "LockQuerySet":
        """Return the locks that hold; one that somebody asked to open still does."""
        return self.exclude(state=LockState.UNLOCKED)


class Lock(StateMachine):
    """One lock, and who opened it; a lock that was opened stays on record."""

    machine = "lock"

    study = models.ForeignKey(Study, models.PROTECT, related_name="locks", verbose_name=_("study"))
    participant = models.ForeignKey(
        Participant,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="locks",
        verbose_name=_("participant"),
    )
    level = models.CharField(_("level"), max_length=16, choices=lock_levels)
    target = models.CharField(_("what is locked"), max_length=128, help_text=_("Level and key"))
    state = models.CharField(
        _("state"), max_length=16, choices=lock_states, default=LockState.LOCKED
    )
    locked_at = models.DateTimeField(_("locked"))
    locked_by = models.CharField(_("locked by"), max_length=150)
    asked_at = models.DateTimeField(_("asked to open"), null=True, blank=True)
    asked_by = models.CharField(_("asked by"), max_length=150, blank=True)
    asked_reason = models.CharField(_("reason to open"), max_length=500, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by = models.CharField(_("answered by"), max_length=150, blank=True)

    objects = LockQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("lock"), _("locks")
        ordering = ["study", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["target"],
                condition=~models.Q(state=LockState.UNLOCKED),
                name="studies_lock_in_force_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.target} {self.state}"


class LockException(models.Model):
    """One thing that was open when a database was locked all the same, and why it was."""

    lock = models.ForeignKey(
        Lock, models.PROTECT, related_name="exceptions", verbose_name=_("lock")
    )
    participant = models.ForeignKey(
        Participant,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("participant"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=loose_kinds)
    target = models.CharField(_("what was open"), max_length=64, help_text=_("Kind and key"))
    reason = models.CharField(_("reason"), max_length=500)

    class Meta:
        verbose_name, verbose_name_plural = _("exception of a lock"), _("exceptions of locks")
        ordering = ["lock", "id"]
        constraints = [
            models.UniqueConstraint(fields=["lock", "target"], name="studies_lockexception_once")
        ]

    def __str__(self) -> str:
        return f"{self.target} open at {self.lock_id}"

    @property
    def study(self) -> Study:
        """The study whose database was locked."""
        return self.lock.study
