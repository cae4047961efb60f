"""What somebody reads of the audit trail, and the signature under it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.forms.closing import ProofForm
from studies.selectors.audit_trail import Part, Wanted


class TrailForm(forms.Form):
    """Which entries somebody wants to see; what is left empty leaves nothing out."""

    part = forms.ChoiceField(label=_("Show"), choices=Part.choices, required=False)
    code = forms.CharField(label=_("Participant's code"), max_length=16, required=False)
    actor = forms.CharField(label=_("Actor"), max_length=150, required=False)
    action = forms.CharField(label=_("Action"), max_length=64, required=False)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    @property
    def wanted(self) -> Wanted:
        """What was asked for rightly; a field that cannot be read leaves nothing out."""
        self.is_valid()
        asked = {
            key: value.strip() if isinstance(value, str) else value
            for key, value in self.cleaned_data.items()
            if value
        }
        return Wanted(**asked)


class ReviewForm(ProofForm):
    """What was found in the trail, and the proof of who read it."""

    note = forms.CharField(
        label=_("What did you find?"),
        max_length=500,
        help_text=_("Kept in the audit trail. Name nobody."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Enter what you found, or that there was nothing")},
    )
    up_to = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    field_order = ["note", "password", "code"]
