"""Consent texts and who agreed to which."""

from django.db import models

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
