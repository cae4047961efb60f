"""The PIN of a private link: chosen once, entered ever after."""

from django import forms
from django.utils.translation import gettext_lazy as _

PIN_DIGITS = 6


class PinField(forms.CharField):
    """Six digits; spaces that a paste brings along do not matter."""

    default_error_messages = {
        "required": _("Enter your PIN"),
        "digits": _("Enter six digits"),
    }

    def __init__(self, *, label: str, autocomplete: str, help_text: str = "") -> None:
        attrs = {"inputmode": "numeric", "autocomplete": autocomplete, "class": "pin"}
        super().__init__(
            label=label,
            help_text=help_text,
            widget=forms.PasswordInput(attrs=attrs),
        )

    def clean(self, value: str | None) -> str:
        """Return the six digits as text."""
        pin = "".join(super().clean(value).split())
        if not (pin.isascii() and pin.isdigit() and len(pin) == PIN_DIGITS):
            raise forms.ValidationError(self.error_messages["digits"], code="digits")
        return pin


class NewPinForm(forms.Form):
    """A PIN, typed twice."""

    pin = PinField(
        label=_("Choose a PIN"),
        autocomplete="new-password",
        help_text=_("Six digits that you can remember and others cannot guess."),
    )
    pin_again = PinField(label=_("The same PIN again"), autocomplete="new-password")

    def clean_pin_again(self) -> str:
        """Return the second PIN, which is the first one."""
        again = self.cleaned_data["pin_again"]
        first = self.cleaned_data.get("pin")
        if first and again != first:
            raise forms.ValidationError(_("Enter the same six digits twice"), code="different")
        return again


class PinForm(forms.Form):
    """The PIN of a link that has one."""

    pin = PinField(label=_("Your PIN"), autocomplete="current-password")
