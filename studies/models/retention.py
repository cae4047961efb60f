"""Until when a study may know who its people are."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.study import Study


class ContactRetention(models.Model):
    """The day on which names and contacts are erased, and whether they were."""

    study = models.OneToOneField(
        Study, models.PROTECT, related_name="contact_retention", verbose_name=_("study")
    )
    erase_on = models.DateField(_("erased on"), help_text=_("In the study's own time zone"))
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)
    n_erased = models.PositiveIntegerField(_("contacts erased"), default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("retention of contacts"), _("retention of contacts")

    def __str__(self) -> str:
        return f"{self.study} {self.erase_on}"
