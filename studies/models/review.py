"""Reviews of the audit trail: who read how far, and stands for having read it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.study import Study


class AuditReview(models.Model):
    """A signature under a study's trail up to one entry, bound to that entry's hash.

    The hash stands for every entry before it, so it stands for all that was read.
    """

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="audit_reviews", verbose_name=_("study")
    )
    up_to = models.PositiveBigIntegerField(_("up to entry"))
    entry_hash = models.CharField(_("hash of that entry"), max_length=64)
    note = models.CharField(_("what was found"), max_length=500)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("account")
    )
    name = models.CharField(_("name"), max_length=310, help_text=_("As it was when signed"))
    signed_at = models.DateTimeField(_("signed"))

    class Meta:
        verbose_name, verbose_name_plural = _("review of the trail"), _("reviews of the trail")
        ordering = ["study", "signed_at"]

    def __str__(self) -> str:
        return f"{self.study} up to {self.up_to}"
