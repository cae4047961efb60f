"""What a clinician fills in: a study, an invitation, a withdrawal."""

from datetime import date
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from studies.design.majority import age_on
from studies.design.parts import NIGHT_MINUTES_MAX, NIGHT_MINUTES_MIN, Source
from studies.design.protocol import Protocol
from studies.forms.once import OnceForm
from studies.models.access import Holder
from studies.models.consent import WithdrawalScope
from studies.models.study import Site, Study
from studies.services.entry.contact_correction import Cause

LEVEL_NAMES = {
    "sex": _("Sex (for balanced groups)"),
    "female": _("Female"),
    "male": _("Male"),
    "other": _("Other, or not stated"),
}


class NewStudyForm(forms.Form):
    """A study from the template with four arms."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("Participants see it at the foot of their pages."),
        error_messages={"required": _("Enter a title")},
    )
    code = forms.CharField(
        label=_("Short code"),
        max_length=16,
        help_text=_("Capital letters, digits and hyphens, like SLEEP-24."),
        validators=[
            RegexValidator(
                r"^[A-Z][A-Z0-9-]{2,15}$", _("Enter 3 to 16 capital letters, digits or hyphens")
            )
        ],
        error_messages={"required": _("Enter a short code")},
    )
    zone = forms.CharField(
        label=_("Time zone"),
        initial="Europe/London",
        help_text=_("As in the time zone database, like Europe/London or Asia/Shanghai."),
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
        error_messages={"required": _("Enter a time zone")},
    )
    night_minutes = forms.IntegerField(
        label=_("Length of a night's music, in minutes"),
        initial=30,
        min_value=NIGHT_MINUTES_MIN,
        max_value=NIGHT_MINUTES_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
        error_messages={
            "required": _("Enter a number of minutes"),
            "invalid": _("Enter a whole number of minutes"),
        },
    )

    def clean_code(self) -> str:
        """Return a code that no study has yet."""
        code = self.cleaned_data["code"]
        if Study.objects.filter(code__iexact=code).exists():
            raise forms.ValidationError(_("A study with this code exists: choose another"))
        return code

    def clean_zone(self) -> str:
        """Return a time zone that exists."""
        zone = self.cleaned_data["zone"]
        if zone not in available_timezones():
            raise forms.ValidationError(_("Enter a time zone like Europe/London"))
        return zone


class InviteForm(OnceForm):
    """An invitation; the name and the contact are sealed apart from everything else."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("Encrypted, and kept apart from all answers."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the participant's name")},
    )
    contact = forms.CharField(
        label=_("Phone number or email address"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter a phone number or an email address")},
    )
    age_years = forms.IntegerField(
        label=_("Age in years"),
        min_value=1,
        max_value=120,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
        error_messages={
            "required": _("Enter the age in years"),
            "invalid": _("Enter the age as a whole number"),
        },
    )
    born_on = forms.DateField(
        label=_("Date of birth, of a minor (optional)"),
        required=False,
        help_text=_(
            "Like 2010-05-17. Kept under seal: when they come of age they are asked for a "
            "consent of their own."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "short"}),
        error_messages={"invalid": _("Enter the date like 2010-05-17")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language")},
    )

    def __init__(
        self,
        *args: object,
        protocol: Protocol,
        sites: list[Site],
        today: date,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._today = today
        self._sites = {site.code: site for site in sites}
        if len(sites) > 1:
            self.fields["site"] = forms.ChoiceField(
                label=_("Site"),
                choices=[(site.code, site.name) for site in sites],
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose a site")},
            )
        stated = [factor for factor in protocol.factors if factor.source == Source.STATED]
        self._factors = [factor.name for factor in stated]
        for factor in stated:
            self.fields[factor.name] = forms.ChoiceField(
                label=LEVEL_NAMES.get(factor.name, factor.name),
                choices=[(level, LEVEL_NAMES.get(level, level)) for level in factor.levels],
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose one")},
            )

    def clean_born_on(self) -> date | None:
        """Return a birthday that fits the age, where one is stated."""
        born_on, age_years = self.cleaned_data["born_on"], self.cleaned_data.get("age_years")
        if born_on and age_years is not None and age_on(born_on, self._today) != age_years:
            raise forms.ValidationError(_("This date and the age in years do not fit"))
        return born_on

    @property
    def invitation(self) -> dict[str, object]:
        """What `invite_participant` takes, the levels of the stratification factors together."""
        stated = self.stated
        strata = {name: stated.pop(name) for name in self._factors}
        code = stated.pop("site", next(iter(self._sites), None))
        return {**stated, "strata": strata, "site": self._sites.get(code)}


MAIL, SAY, WORD = "mail", "say", "word"


class ContactCheckForm(forms.Form):
    """How it is found out that a participant can be reached."""

    way = forms.ChoiceField(
        label=_("How do you check it?"),
        choices=[
            (MAIL, _("Mail a code to the email address")),
            (SAY, _("Say a code on the telephone")),
            (WORD, _("I have reached the participant by this contact")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how you check it")},
    )
    reason = forms.CharField(
        label=_("How did you reach them? (with the last choice)"),
        required=False,
        max_length=200,
        help_text=_("Kept in the audit trail with your account. Name nobody."),
    )

    def clean_reason(self) -> str:
        """Return how they were reached, which one's own word needs."""
        reason = self.cleaned_data["reason"].strip()
        if self.cleaned_data.get("way") == WORD and not reason:
            raise forms.ValidationError(_("Enter how you reached them"))
        return reason


class CorrectContactForm(forms.Form):
    """The right contact in place of a wrong one; why is chosen, so that nobody writes it there."""

    holder = forms.ChoiceField(
        label=_("Whose contact is it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whose contact it is")},
    )
    contact = forms.CharField(
        label=_("The right phone number or email address"),
        max_length=200,
        help_text=_("Encrypted, and kept apart from all answers."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter a phone number or an email address")},
    )
    cause = forms.ChoiceField(
        label=_("Why is it corrected?"),
        choices=[
            (Cause.MISTYPED.value, _("It was written down wrongly")),
            (Cause.CHANGED.value, _("They can be reached in another way now")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why it is corrected")},
    )

    def __init__(self, *args: object, has_guardian: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        named = [Holder.PARTICIPANT, *([Holder.GUARDIAN] if has_guardian else [])]
        self.fields["holder"].choices = [(holder.value, holder.label) for holder in named]


class GuardianForm(forms.Form):
    """Who may permit a minor to take part."""

    name = forms.CharField(
        label=_("Name of the parent or guardian"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the name")},
    )
    contact = forms.CharField(
        label=_("Their phone number or email address"),
        max_length=200,
        help_text=_("Their own, not the child's."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter a phone number or an email address")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a language")},
    )


class RevealForm(forms.Form):
    """Why a name is looked at."""

    reason = forms.CharField(
        label=_("Why do you need the name and contact?"),
        max_length=200,
        help_text=_("Kept in the audit trail with your account."),
        error_messages={"required": _("Enter a reason")},
    )


class CorrectionForm(forms.Form):
    """Why an answer is corrected, and which revision the corrector looked at."""

    reason = forms.CharField(
        label=_("Why is this answer corrected?"),
        max_length=500,
        help_text=_("Kept with the correction and in the audit trail. Name nobody."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter a reason")},
    )
    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class WithdrawForm(forms.Form):
    """A participant's wish to stop, passed on by staff."""

    scope = forms.ChoiceField(
        label=_("What does the participant want to stop?"),
        choices=WithdrawalScope.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what stops")},
    )
    reason = forms.CharField(
        label=_("Reason, if one was given (optional)"),
        required=False,
        max_length=200,
    )

    @property
    def scope_name(self) -> str:
        """The words of what was chosen, for the page that asks once more."""
        return WithdrawalScope(self.cleaned_data["scope"]).label


class CloseForm(forms.Form):
    """Closing ends data collection for good, so the study's code is typed."""

    reason = forms.CharField(
        label=_("Reason (needed while assessments are still to come)"),
        required=False,
        max_length=200,
    )
    code = forms.CharField(
        label=_("Type the study's code to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Type the study's code")},
    )

    def __init__(self, *args: object, study_code: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._study_code = study_code

    def clean_code(self) -> str:
        """Return the code, which is that of this study."""
        if self.cleaned_data["code"].strip() != self._study_code:
            raise forms.ValidationError(_("Type the study's code exactly as shown"))
        return self._study_code
