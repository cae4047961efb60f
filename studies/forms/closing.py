"""What ending a trial asks for: who somebody is, once more, and why."""

from collections.abc import Sequence

from allauth.mfa.models import Authenticator
from django import forms
from django.utils.translation import gettext_lazy as _

from studies.forms.once import OnceForm
from studies.models.signature import Meaning
from studies.models.user import User
from studies.selectors.loose_ends import LooseEnds, seen_sha256

ENTER_REASON = {"required": _("Enter a reason")}


class ProofForm(forms.Form):
    """Password and second factor, asked for again although somebody is signed in."""

    password = forms.CharField(
        label=_("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password")},
    )
    code = forms.CharField(
        label=_("Code from your authenticator app"),
        max_length=16,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("Enter the code your app shows now")},
    )
    field_order: list[str] = []

    def __init__(self, *args: object, user: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean(self) -> dict[str, object]:
        """Return what was typed by the person who is signed in, and by nobody else.

        The code is looked at last, and only when everything else is right: it works once.
        """
        typed = super().clean()
        if not self.errors and not self._is_own(typed["password"], typed["code"].replace(" ", "")):
            raise forms.ValidationError(
                _("The password or the code is not right. Nothing was done.")
            )
        return typed

    def _is_own(self, password: str, code: str) -> bool:
        if not self._user.check_password(password):
            return False
        kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
        own = Authenticator.objects.filter(user=self._user, type__in=kinds)
        return any(factor.wrap().validate_code(code.strip()) for factor in own)


class SignForm(ProofForm):
    """What a signature says, and the proof of who gives it."""

    meaning = forms.ChoiceField(
        label=_("What does your signature say?"),
        choices=Meaning.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )
    content_sha256 = forms.CharField(widget=forms.HiddenInput)
    field_order = ["meaning", "password", "code"]


class ReportUnblindingForm(OnceForm):
    """How an arm became known by accident, and what follows."""

    reason = forms.CharField(
        label=_("What happened?"),
        max_length=500,
        help_text=_("Name nobody, and do not write which group it is."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter what happened")},
    )
    impact = forms.CharField(
        label=_("Who will know it, and what does that change?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter what follows from it")},
    )


class BreakBlindForm(ReportUnblindingForm, ProofForm):
    """Why one arm has to be known now, what follows, and the proof of who asks."""

    field_order = ["reason", "impact", "password", "code"]


class LockDatabaseForm(forms.Form):
    """Why each kind of thing that is open stays open, and which list of them was looked at."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: object, groups: Sequence[LooseEnds], **kwargs: object) -> None:
        super().__init__(*args, initial={"seen": seen_sha256(groups)}, **kwargs)
        self._kinds = [group.kind for group in groups]
        for kind in self._kinds:
            self.fields[f"reason_{kind}"] = forms.CharField(
                label=_("%(kind)s: why is the database locked all the same?")
                % {"kind": kind.label},
                max_length=500,
                help_text=_("Kept with each of them and in the audit trail. Name nobody."),
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": _("%(kind)s: enter a reason") % {"kind": kind.label}},
            )

    @property
    def reasons(self) -> dict[str, str]:
        """The reason for each kind."""
        return {kind: self.cleaned_data[f"reason_{kind}"] for kind in self._kinds}


class UnlockForm(forms.Form):
    """Why a lock should be opened."""

    reason = forms.CharField(
        label=_("Why should this be opened again?"),
        max_length=500,
        help_text=_("Kept in the audit trail. Name nobody."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages=ENTER_REASON,
    )


class ErasureForm(forms.Form):
    """The day on which names and contacts are erased."""

    erase_on = forms.DateField(
        label=_("Erase names and contacts on"),
        help_text=_("As your ethics approval says. It cannot be undone once the day has come."),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": _("Enter a date"), "invalid": _("Enter a date")},
    )


class EraseContactForm(forms.Form):
    """Erasing who somebody is cannot be undone, so their code is typed."""

    code = forms.CharField(
        label=_("Type the participant's code to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Type the participant's code")},
    )

    def __init__(self, *args: object, participant_code: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._participant_code = participant_code

    def clean_code(self) -> str:
        """Return the code, which is that of this participant."""
        if self.cleaned_data["code"].strip().upper() != self._participant_code:
            raise forms.ValidationError(_("Type the participant's code exactly as shown"))
        return self._participant_code
