"""Electronic signatures: who stands for which content, and what that means."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant


class Meaning(models.TextChoices):
    """What a signature says."""

    REVIEWED = "reviewed", _("I have read these data")
    CORRECT = "correct", _("These data are complete and correct to my knowledge")
    RESPONSIBLE = "responsible", _("I take responsibility for these data")


def meanings() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return Meaning.choices


class Signature(models.Model):
    """A signature under everything that a participant handed in, bound to its hash."""

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="signatures", verbose_name=_("participant")
    )
    meaning = models.CharField(_("meaning"), max_length=16, choices=meanings)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=310, help_text=_("As it was when signed"))
    role = models.CharField(_("role"), max_length=200)
    signed_at = models.DateTimeField(_("signed"))
    content_sha256 = models.CharField(_("SHA-256 of the content"), max_length=64)

    class Meta:
        verbose_name, verbose_name_plural = _("signature"), _("signatures")
        ordering = ["participant", "signed_at"]

    def __str__(self) -> str:
        return f"{self.participant} {self.meaning} {self.name}"
