"""The audit trail: append-only, chained by hash, one chain a study.

Database triggers refuse UPDATE, DELETE and TRUNCATE (migration 0002), on SQLite and PostgreSQL.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditHead(models.Model):
    """The end of one chain; locked while a row is appended, so that the chain cannot fork."""

    chain = models.CharField(max_length=64, unique=True, help_text=_("Study code, or 'site'"))
    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain} #{self.length}"


class AuditEntry(models.Model):
    """Who changed what, when, from what to what, and why."""

    chain = models.CharField(_("chain"), max_length=64)
    number = models.PositiveBigIntegerField(_("number"))
    at = models.DateTimeField(_("time"), help_text="UTC")
    actor = models.CharField(
        _("actor"), max_length=150, help_text=_("Account, participant code, or 'system'")
    )
    role = models.CharField(_("role"), max_length=200, help_text=_("In which role the actor acted"))
    zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Where the subject's clock is")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
    )
    action = models.CharField(_("action"), max_length=64)
    subject_type = models.CharField(_("kind of subject"), max_length=64)
    subject_id = models.CharField(_("key of the subject"), max_length=64)
    old = models.JSONField(_("before"), null=True)
    new = models.JSONField(_("after"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    previous_hash = models.CharField(_("previous hash"), max_length=64, blank=True)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name, verbose_name_plural = _("audit entry"), _("audit entries")
        ordering = ["chain", "number"]
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="studies_auditentry_once")
        ]
        # A participant's timeline asks for a dozen rows among millions.
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="studies_auditentry_subject")
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.number} {self.action}"
