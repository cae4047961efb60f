"""Whether somebody was asked about harms at a visit, and what was found."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.visit import Visit


class HarmsInquiry(models.Model):
    """One visit's question whether anything untoward happened; what did is an adverse event."""

    visit = models.OneToOneField(
        Visit, models.PROTECT, related_name="harms_inquiry", verbose_name=_("visit")
    )
    was_untoward = models.BooleanField(_("something untoward happened"))
    asked_at = models.DateTimeField(_("asked"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("question about harms"), _("questions about harms")
        ordering = ["visit"]

    def __str__(self) -> str:
        return f"{self.visit} harms"
