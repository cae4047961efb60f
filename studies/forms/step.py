"""What every step of the set-up wizard is: a form that reads and writes its part of a protocol."""

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.design.protocol import Protocol

FULL_WIDTH_COMMA = "\uff0c"

Parts = dict[str, object]


class Numbers(forms.CharField):
    """Whole numbers with commas between them."""

    default_error_messages = {"numbers": _("Enter whole numbers with commas between them")}

    def to_python(self, value: object) -> list[int]:
        """Return the numbers."""
        words = super().to_python(value).replace(FULL_WIDTH_COMMA, ",").split(",")
        try:
            return [int(word) for word in words if word.strip()]
        except ValueError:
            raise forms.ValidationError(self.error_messages["numbers"], code="numbers") from None

    def prepare_value(self, value: object) -> object:
        """Return the numbers as they are typed."""
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


class StepForm(forms.Form):
    """One step of the wizard; `initial_of` reads a protocol, `parts` is what it becomes."""

    def __init__(self, *args: object, protocol: Protocol, sites: list[str], **kwargs: object):
        super().__init__(*args, **kwargs)
        self.protocol = protocol
        self.plain = protocol.to_json()
        self.sites = sites
        self.add_fields()
        self.initial = self.initial_of(protocol)

    def add_fields(self) -> None:
        """Add the fields that depend on the protocol."""

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return what the fields hold at first."""
        return {name: getattr(protocol, name) for name in self.fields}

    def parts(self) -> Parts:
        """Return the protocol's parts with this step's answers."""
        return {**self.plain, **self.cleaned_data}
