"""Consent texts, who agreed to which as what, and who withdrew from what.

A minor's own answer is an assent and counts only together with the permission of a parent or
guardian; an adult's is a consent. Each is one row, with a copy that only that person's key opens.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from studies.models.access import holders
from studies.models.participant import Participant
from studies.models.state import StateMachine
from studies.models.study import Study


class ConsentText(models.Model):
    """One version of the consent text in one language; never changed once it exists."""

    study = models.ForeignKey(
        Study, models.PROTECT, related_name="consent_texts", verbose_name=_("study")
    )
    version = models.PositiveSmallIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=8)
    pages = models.JSONField(_("pages"), help_text=_("List of {title, body}: one idea a page"))
    questions = models.JSONField(
        _("questions"),
        default=list,
        help_text=_("List of {question, options, answer}: what a reader has to have understood"),
    )
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


class ConsentRole(models.TextChoices):
    """As what somebody answers."""

    CONSENT = "consent", _("Consent of an adult participant")
    ASSENT = "assent", _("Assent of a participant under age")
    PERMISSION = "permission", _("Permission of a parent or guardian")


class ConsentState(models.TextChoices):
    """Where one person's answer to one text is (`design/states.py` says which moves exist)."""

    ISSUED = "issued", _("Asked")
    UNDERSTOOD = "understood", _("Read and understood")
    AGREED = "agreed", _("Agreed")
    REFUSED = "refused", _("Refused")
    SUPERSEDED = "superseded", _("Replaced by a newer answer")
    REVOKED = "revoked", _("Taken back")


def consent_roles() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ConsentRole.choices


def consent_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return ConsentState.choices


class Guardian(models.Model):
    """That somebody may permit a minor to take part; who it is lies with the identity."""

    participant = models.OneToOneField(
        Participant, models.PROTECT, related_name="guardian", verbose_name=_("participant")
    )
    language = models.CharField(_("language"), max_length=8)
    appointed_at = models.DateTimeField(_("appointed"))

    def __str__(self) -> str:
        return f"guardian of {self.participant_id}"


class Consent(StateMachine):
    """One person's answer to one consent text, and the signed copy of it."""

    machine = "consent"

    participant = models.ForeignKey(
        Participant, models.PROTECT, related_name="consents", verbose_name=_("participant")
    )
    text = models.ForeignKey(
        ConsentText, models.PROTECT, related_name="+", verbose_name=_("consent text")
    )
    role = models.CharField(_("role"), max_length=16, choices=consent_roles)
    state = models.CharField(
        _("state"), max_length=16, choices=consent_states, default=ConsentState.ISSUED
    )
    tries = models.PositiveSmallIntegerField(
        _("tries"), default=0, help_text=_("How often the questions on the text were answered")
    )
    understood_at = models.DateTimeField(_("understood"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    # The signed copy, sealed with the participant's own key.
    copy_sealed = models.BinaryField(null=True)
    copy_sha256 = models.CharField(_("SHA-256 of the copy"), max_length=64, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("consent"), _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "text", "role"], name="studies_consent_one_answer_a_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.participant_id}: {self.state}"

    @property
    def agreed(self) -> bool:
        """Whether it holds now."""
        return self.state == ConsentState.AGREED


class CopyMailState(models.TextChoices):
    """Where the mail of a copy is."""

    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    DROPPED = "dropped", _("Not sent")
    HANDED = "handed", _("Handed over")


def copy_mail_states() -> list[tuple[str, str]]:
    """Choices as a callable."""
    return CopyMailState.choices


class CopyMail(models.Model):
    """A signed copy that goes to one person by mail; whose address it is lies with the identity."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="copy_mails")
    holder = models.CharField(max_length=16, choices=holders)
    state = models.CharField(max_length=16, choices=copy_mail_states, default=CopyMailState.WAITING)
    reason = models.CharField(max_length=32, blank=True, help_text="Why it was not sent")
    planned_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, help_text="Not tried again before")
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["consent", "holder"], name="studies_copymail_once_a_holder"
            )
        ]

    def __str__(self) -> str:
        return f"copy {self.consent_id} to {self.holder}: {self.state}"


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
