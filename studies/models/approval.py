"""What a site's ethics committee and management approved, and when."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.protocol import ProtocolVersion
from studies.models.study import Site


class SiteApproval(models.Model):
    """A site may recruit by one version of the protocol."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="approvals", verbose_name=_("site"))
    version = models.ForeignKey(
        ProtocolVersion, models.PROTECT, related_name="approvals", verbose_name=_("version")
    )
    approved_on = models.DateField(_("approved on"))
    reference = models.CharField(
        _("reference"), max_length=200, help_text=_("Of the letter of approval")
    )
    recorded_by = models.CharField(_("recorded by"), max_length=150)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name, verbose_name_plural = _("site's approval"), _("sites' approvals")
        ordering = ["site", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "version"], name="studies_siteapproval_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} version {self.version.number}"
