"""Private links and PINs of a participant and of a guardian; only hashes are kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant


class Holder(models.TextChoices):
    """Whose link it is: each opens that person's own pages and no others."""

    PARTICIPANT = "participant", _("Participant")
    GUARDIAN = "guardian", _("Parent or guardian")


def holders() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return Holder.choices


class ContactCode(models.Model):
    """A short code that shows that a participant can be reached; only its hash is kept."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="contact_codes")
    way = models.CharField(max_length=8, help_text=_("mailed or spoken"))
    code_hash = models.CharField(max_length=128)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.way} code of {self.participant_id}"


class PrivateLink(models.Model):
    """A link that, with its PIN, signs its holder in on any device until it is revoked."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="links")
    holder = models.CharField(max_length=16, choices=holders, default=Holder.PARTICIPANT)
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
                fields=["participant", "holder"],
                condition=models.Q(revoked_at__isnull=True),
                name="studies_privatelink_one_live_link_a_holder",
            )
        ]

    def __str__(self) -> str:
        return f"link of {self.participant_id}"
