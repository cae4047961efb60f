"""A participant's private link and PIN; only hashes are kept."""

from django.db import models

from studies.models.participant import Participant


class PrivateLink(models.Model):
    """A link that, with its PIN, signs its holder in on any device until it is revoked."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="links")
    token_sha256 = models.CharField(max_length=64, unique=True)
    pin_hash = models.CharField(max_length=128, blank=True)
    issued_at = models.DateTimeField()
    pin_due_at = models.DateTimeField()
    pin_set_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant"],
                condition=models.Q(revoked_at__isnull=True),
                name="studies_privatelink_one_live_link",
            )
        ]

    def __str__(self) -> str:
        return f"link of {self.participant_id}"
