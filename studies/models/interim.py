"""Interim looks: what a monitoring board was given, frozen."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.study import Study


class InterimLook(models.Model):
    """One closed report; triggers refuse to change it (migration 0029)."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="interim_looks", verbose_name=_("study")
    )
    number = models.PositiveSmallIntegerField(_("number"))
    content = models.JSONField(_("report"), help_text=_("By letters, not by arms"))
    sha256 = models.CharField(_("SHA-256 of the report"), max_length=64)
    sealed_letters = models.BinaryField(help_text=_("Which letter is which arm, sealed"))
    reason = models.CharField(_("reason"), max_length=500)
    taken_at = models.DateTimeField(_("taken"))
    taken_by = models.CharField(_("taken by"), max_length=150)

    class Meta:
        verbose_name, verbose_name_plural = _("interim look"), _("interim looks")
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="studies_interimlook_once")
        ]

    def __str__(self) -> str:
        return f"{self.study} look {self.number}"
