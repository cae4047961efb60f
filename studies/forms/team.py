"""Who works on a study, and where."""

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.models.study import Role, Site, Study
from studies.models.user import User

WHAT_ROLES_DO = {
    Role.PRINCIPAL_INVESTIGATOR: _("answers for the trial: sets it up, opens and closes it"),
    Role.COORDINATOR: _("looks after participants at a site, sees no results"),
    Role.THERAPIST: _("guides the people who have lessons"),
    Role.ASSESSOR: _("sees people and visits, never an arm"),
    Role.RESEARCHER: _("reads results, sees no participants"),
    Role.STATISTICIAN: _("makes the allocation sequence, sees no participants"),
    Role.MONITOR: _("looks at everything blinded staff enter, changes nothing"),
    Role.AUDITOR: _("reads who did what"),
    Role.ADMINISTRATOR: _("runs the machinery, sees no data"),
}


class MemberForm(forms.Form):
    """Somebody with an account, what they do in the study, and where."""

    user = forms.ModelChoiceField(
        label=_("Account name"),
        queryset=User.objects.filter(is_active=True),
        to_field_name="username",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={
            "required": _("Enter an account name"),
            "invalid_choice": _("No active account has this name"),
        },
    )
    role = forms.ChoiceField(
        label=_("Role"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a role")},
    )
    site = forms.ModelChoiceField(
        label=_("Site"),
        queryset=Site.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=_("Every site"),
    )

    def __init__(self, *args: object, study: Study, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [
            (role.value, f"{role.label}: {WHAT_ROLES_DO[role]}") for role in Role
        ]
        self.fields["site"].queryset = study.sites.order_by("position")
        self.fields["site"].label_from_instance = lambda site: f"{site.code}: {site.name}"


class SiteApprovalForm(forms.Form):
    """When a site's committee approved the protocol, and by which letter."""

    approved_on = forms.DateField(
        label=_("Approved on"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": _("Enter a date"), "invalid": _("Enter a date")},
    )
    reference = forms.CharField(
        label=_("Reference of the letter of approval"),
        max_length=200,
        error_messages={"required": _("Enter the reference")},
    )


class SiteForm(forms.Form):
    """Another place where the study is conducted."""

    code = forms.RegexField(
        r"^[A-Z][A-Z0-9-]{1,15}$",
        label=_("Short code of the site"),
        help_text=_("Capital letters, digits and hyphens, like LEEDS."),
        error_messages={
            "required": _("Enter a short code"),
            "invalid": _("Enter 2 to 16 capital letters, digits or hyphens"),
        },
    )
    name = forms.CharField(
        label=_("Name of the site"),
        max_length=200,
        error_messages={"required": _("Enter a name")},
    )
