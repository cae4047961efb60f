"""Consent texts, who agreed to which, and who withdrew from what."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.participant import Participant
from studies.models.study import Study


class ConsentText(models.Model):
    """One version of the consent text in one language; never changed once it exists."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="consent_texts", verbose_name=_("study")
    )
    version = models.PositiveSmallIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=8)
    pages = models.JSONField(_("pages"), help_text=_("List of {title, body}: one idea a page"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)

    class Meta:
        verbose_name, verbose_name_plural = _("consent text"), _("consent texts")
        constraints = [
            models.UniqueConstraint(
                fields=["study", "version", "language"], name="studies_consenttext_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.study} v{self.version} {self.language}"


class Consent(models.Model):
    """A participant's answer to a consent text."""

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="consents", verbose_name=_("participant")
    )
    text = models.ForeignKey(
        ConsentText, models.PROTECT, related_name="+", verbose_name=_("consent text")
    )
    agreed = models.BooleanField(_("agreed"))
    answered_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name, verbose_name_plural = _("consent"), _("consents")
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

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="withdrawals", verbose_name=_("participant")
    )
    scope = models.CharField(_("scope"), max_length=16, choices=withdrawal_scopes)
    reason = models.CharField(
        _("reason"), max_length=200, blank=True, help_text=_("Nobody has to give one")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"))

    class Meta:
        verbose_name, verbose_name_plural = _("withdrawal"), _("withdrawals")
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "scope"], name="studies_withdrawal_scope_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.scope}"
