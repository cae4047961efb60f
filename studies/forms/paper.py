"""The day that stands on a paper form."""

from datetime import date

from django import forms
from django.utils.translation import gettext_lazy as _


class PaperDayForm(forms.Form):
    """When the participant filled in the form."""

    filled_on = forms.DateField(
        label=_("Date on the paper"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The day on which it was filled in; not today, unless it was today."),
        error_messages={"required": _("Enter the date that stands on the paper")},
    )

    def __init__(
        self, data: dict[str, str] | None = None, *, days: tuple[date, date], words: str
    ) -> None:
        super().__init__(data)
        self._days, self._words = days, words
        first, last = days
        widget = self.fields["filled_on"].widget
        widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}

    def clean_filled_on(self) -> date:
        """Refuse a day on which this visit could not be answered."""
        day = self.cleaned_data["filled_on"]
        first, last = self._days
        if not first <= day <= last:
            raise forms.ValidationError(self._words)
        return day
