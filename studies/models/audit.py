"""The audit trail: append-only, chained by hash, one chain a study.

Database triggers refuse UPDATE, DELETE and TRUNCATE (migration 0002), on SQLite and PostgreSQL.
"""

from django.conf import settings
from django.db import models


class AuditHead(models.Model):
    """The end of one chain; locked while a row is appended, so that the chain cannot fork."""

    chain = models.CharField(max_length=64, unique=True, help_text="Study code, or 'site'")
    length = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain} #{self.length}"


class AuditEntry(models.Model):
    """Who changed what, when, from what to what, and why."""

    chain = models.CharField(max_length=64)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(help_text="UTC")
    actor = models.CharField(max_length=150, help_text="Account, participant code, or 'system'")
    role = models.CharField(max_length=32, help_text="In which role the actor acted")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=64)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["chain", "number"]
        verbose_name_plural = "audit entries"
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="studies_auditentry_once")
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.number} {self.action}"
