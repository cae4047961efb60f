"""Who learned the arm of one participant before the study was unblinded, why, and what follows."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant


class UnblindingKind(models.TextChoices):
    """How somebody came to know an arm."""

    EMERGENCY = "emergency", _("Emergency")
    ACCIDENTAL = "accidental", _("By accident")


def unblinding_kinds() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return UnblindingKind.choices


class Unblinding(models.Model):
    """One arm that became known too early; which one is not written here."""

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="unblindings", verbose_name=_("participant")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=unblinding_kinds)
    reason = models.CharField(_("reason"), max_length=500)
    impact = models.CharField(_("impact"), max_length=500, help_text=_("What it changes"))
    unblinded_at = models.DateTimeField(_("unblinded"))
    unblinded_by = models.CharField(_("by"), max_length=150)
    told_at = models.DateTimeField(
        _("notice sent"),
        null=True,
        blank=True,
        help_text=_("Empty: the principal investigators were not told by mail"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("unblinding"), _("unblindings")
        ordering = ["participant", "unblinded_at"]

    def __str__(self) -> str:
        return f"{self.participant} {self.kind}"
