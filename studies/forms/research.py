"""What a researcher confirms."""

from django import forms
from django.utils.translation import gettext_lazy as _


class UnblindForm(forms.Form):
    """Unblinding cannot be taken back, so it asks for a reason and for the study's code."""

    reason = forms.CharField(
        label=_("Why is the study unblinded now?"),
        max_length=200,
        help_text=_("Kept in the audit trail."),
        error_messages={"required": _("Enter a reason")},
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
