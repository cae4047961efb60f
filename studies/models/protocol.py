"""Versions of a study's protocol: a draft can be edited, what was submitted never changes again.

A database trigger holds the second half of that sentence (migration 0010).
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.design.protocol import Protocol
from studies.models.state import StateMachine
from studies.models.study import Study


class VersionState(models.TextChoices):
    """Where a version is (`services/protocol/versions.py` moves it)."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    ACTIVE = "active", _("In force")
    SUPERSEDED = "superseded", _("Superseded")


def version_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return VersionState.choices


class ProtocolVersion(StateMachine):
    """One version: its content, its hash, when it was submitted and came into force, and why."""

    machine = "protocol"

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="protocol_versions", verbose_name=_("study")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(
        _("state"), max_length=16, choices=version_states, default=VersionState.DRAFT
    )
    content = models.JSONField(_("content"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    reason = models.CharField(_("reason of the amendment"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=150)
    submitted_at = models.DateTimeField(_("submitted"), null=True, blank=True)
    # Nobody where the machinery did it, or before this was kept.
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("submitted by"),
    )
    approved_on = models.DateField(_("approved"), null=True, blank=True)
    active_at = models.DateTimeField(_("in force"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("protocol version"), _("protocol versions")
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "number"], name="studies_protocolversion_number_once"
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=models.Q(state__in=[VersionState.DRAFT, VersionState.SUBMITTED]),
                name="studies_protocolversion_one_in_hand",
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=models.Q(state=VersionState.ACTIVE),
                name="studies_protocolversion_one_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} version {self.number}"

    @property
    def plan(self) -> Protocol:
        """The version as an object."""
        return Protocol.from_json(self.content)
