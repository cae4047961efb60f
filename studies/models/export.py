"""The exports that were asked for; each is one ZIP, which is removed after some days."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.jobs import Job, RunState
from studies.models.study import Study


class ExportRun(Job):
    """One export of a study as it stood: its progress, and what is known of its file."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="export_runs", verbose_name=_("study")
    )
    n_analysed = models.PositiveIntegerField(_("participants"), null=True, blank=True)
    n_bytes = models.PositiveBigIntegerField(_("size"), null=True, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    removed_at = models.DateTimeField(_("file removed"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("export"), _("exports")
        ordering = ["-requested_at"]

    def __str__(self) -> str:
        return f"{self.study} export {self.id} {self.state}"

    @property
    def is_ready(self) -> bool:
        """Its file can be downloaded."""
        return self.state == RunState.DONE and self.removed_at is None

    @property
    def kept_until(self) -> datetime | None:
        """When its file is removed; None before there is one."""
        if self.finished_at is None:
            return None
        return self.finished_at + timedelta(days=settings.NOCTURNE_EXPORT_DAYS)
