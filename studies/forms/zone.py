"""Where a participant is."""

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.design.windows import known_zones


def zone_choices() -> list[tuple[str, str]]:
    """Return every place, named as people write it."""
    return [(name, name.replace("_", " ")) for name in known_zones()]


class ZoneForm(forms.Form):
    """The place whose clock counts."""

    zone = forms.ChoiceField(
        label=_("Place whose time counts"),
        choices=zone_choices,
        error_messages={
            "required": _("Choose a place"),
            "invalid_choice": _("Choose a place from the list"),
        },
    )
