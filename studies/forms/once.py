"""A form that counts once, however often it is sent."""

from uuid import uuid4

from django import forms


class OnceForm(forms.Form):
    """Has a key of its own from when its page was opened; `views/once.py` asks for it."""

    form_key = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)

    @property
    def stated(self) -> dict[str, object]:
        """What was typed, without the key."""
        return {name: told for name, told in self.cleaned_data.items() if name != "form_key"}
