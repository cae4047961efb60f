"""Consent texts, who agreed to which, and who withdrew from what."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant
from studies.models.study import Study


class ConsentText(models.Model):
    """One version of the consent text in one language; never changed once it exists."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="consent_texts")
    version = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=8)
    pages = models.JSONField(help_text="List of {title, body}: one idea a page")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "version", "language"], name="studies_consenttext_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.study} v{self.version} {self.language}"


class Consent(models.Model):
    """A participant's answer to a consent text."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="+")
    agreed = models.BooleanField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "text"], name="studies_consent_answered_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {'agreed' if self.agreed else 'declined'}"


class WithdrawalScope(models.TextChoices):
    """What a participant withdraws from; each wider one contains the narrower ones."""

    INTERVENTION = "intervention", _("Stop music or lessons; the questions go on")
    CONTACT = "contact", _("Stop everything; keep the answers so far")
    DATA = "data", _("Stop everything; leave the answers out and erase the contact")


def withdrawal_scopes() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return WithdrawalScope.choices


class Withdrawal(models.Model):
    """A participant's withdrawal; a later, wider one may follow."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="withdrawals")
    scope = models.CharField(max_length=16, choices=withdrawal_scopes)
    reason = models.CharField(max_length=200, blank=True, help_text=_("Nobody has to give one"))
    withdrawn_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "scope"], name="studies_withdrawal_scope_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.scope}"
