"""What a participant tells us outside the questionnaires."""

import json
import math

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from generator.engine.brief import Bed, Instrument, Mode, Style
from studies.models.consent import WithdrawalScope
from studies.models.listening import ratings
from studies.models.participant import MusicPreference

YES, NO, TALK = "yes", "no", "talk"

# A favourite weighs as much as two styles that are merely liked.
LIKED, LOVED = 1.0, 2.0

# The plain words for the tempo a night starts with, in quarter notes a minute.
TEMPI = {"still": 50.0, "slow": 58.0, "gentle": 66.0}

STYLE_NAMES = {
    Style.CLASSICAL: _("Classical: quiet pieces by composers of the past"),
    Style.SONG: _("Songs: tunes you could hum"),
    Style.GUITAR: _("Guitar: plucked and unhurried"),
    Style.FOLK: _("Folk: old melodies from many places"),
    Style.JAZZ: _("Jazz: warm, late-evening chords"),
}
INSTRUMENT_NAMES = {
    Instrument.PIANO: _("Piano"),
    Instrument.HARP: _("Harp"),
    Instrument.GUITAR: pgettext_lazy("instrument", "Guitar"),
    Instrument.VIBRAPHONE: _("Vibraphone, like soft bells"),
}
TEMPO_NAMES = {
    "still": _("Very slow, almost still"),
    "slow": _("Slow, like breathing out"),
    "gentle": _("Gentle, like a slow walk"),
}
BED_NAMES = {Bed.NONE: _("Only music"), Bed.RAIN: _("Rain"), Bed.WAVES: _("Waves")}
MODE_NAMES = {Mode.MAJOR: _("Bright"), Mode.MINOR: _("Dark")}
SCOPE_NAMES = {
    WithdrawalScope.INTERVENTION: _("Only the evenings. I go on answering questions"),
    WithdrawalScope.CONTACT: _("Everything. You may keep the answers I gave"),
    WithdrawalScope.DATA: _("Everything. Leave my answers out and delete my contact"),
}
STRETCHES_AT_MOST = 200


class DecisionForm(forms.Form):
    """Whether to take part."""

    decision = forms.ChoiceField(
        label=_("Do you want to take part?"),
        choices=[
            (YES, _("Yes, I want to take part")),
            (NO, _("No, I do not want to take part")),
            (TALK, _("I want to talk to someone first")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you want to do")},
    )


class ContactCodeForm(forms.Form):
    """The code that the study team mailed or said."""

    code = forms.CharField(
        label=_("Your code"),
        max_length=12,
        help_text=_("Six digits, from the message or the call."),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "class": "pin"}
        ),
        error_messages={"required": _("Enter the code")},
    )

    def clean_code(self) -> str:
        """Return the digits; spaces do not matter."""
        return "".join(self.cleaned_data["code"].split())


class ConfirmedDecisionForm(forms.Form):
    """The decision that was checked."""

    decision = forms.ChoiceField(choices=[(YES, YES), (NO, NO)], widget=forms.HiddenInput)


class MusicForm(forms.Form):
    """Which music somebody likes, in plain words."""

    styles = forms.MultipleChoiceField(
        label=_("What do you like to hear?"),
        help_text=_("Choose all that you like."),
        choices=[(style.value, name) for style, name in STYLE_NAMES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one kind of music")},
    )
    favourite = forms.ChoiceField(
        label=_("Is there one that you love? (optional)"),
        choices=[("", _("No favourite")), *((s.value, n) for s, n in STYLE_NAMES.items())],
        required=False,
    )
    instrument = forms.ChoiceField(
        label=_("Who should play the melody?"),
        choices=[(instrument.value, name) for instrument, name in INSTRUMENT_NAMES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an instrument")},
    )
    tempo = forms.ChoiceField(
        label=_("How fast should it begin?"),
        choices=list(TEMPO_NAMES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how fast it should begin")},
    )
    mode = forms.ChoiceField(
        label=_("Which colour should it have?"),
        choices=[(mode.value, name) for mode, name in MODE_NAMES.items()],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose bright or dark")},
    )
    bed = forms.ChoiceField(
        label=_("Should nature sound softly under the music? (optional)"),
        choices=[(bed.value, name) for bed, name in BED_NAMES.items()],
        initial=Bed.NONE.value,
        required=False,
        widget=forms.RadioSelect,
    )

    def preferences(self) -> dict[str, object]:
        """Return what `state_preferences` takes: weights that sum to 1, tempo in numbers."""
        data = self.cleaned_data
        names = {*data["styles"], *filter(None, [data["favourite"]])}
        weights = {name: LOVED if name == data["favourite"] else LIKED for name in sorted(names)}
        total = sum(weights.values())
        return {
            "styles": {Style(name): weight / total for name, weight in weights.items()},
            "instrument": Instrument(data["instrument"]),
            "tempo_bpm": TEMPI[data["tempo"]],
            "mode": Mode(data["mode"]),
            "bed": Bed(data["bed"] or Bed.NONE),
        }

    @classmethod
    def initial_of(cls, stated: MusicPreference | None) -> dict[str, object]:
        """Return what the form shows for a taste stated before; nothing for a first time."""
        if stated is None:
            return {}
        heaviest = max(stated.styles, key=stated.styles.get)
        has_favourite = len(set(stated.styles.values())) > 1 or len(stated.styles) == 1
        return {
            "styles": list(stated.styles),
            "favourite": heaviest if has_favourite else "",
            "instrument": stated.instrument,
            "tempo": min(TEMPI, key=lambda name: abs(TEMPI[name] - stated.tempo_bpm)),
            "mode": stated.mode,
            "bed": stated.bed,
        }


class StopForm(forms.Form):
    """What to stop; nobody has to say why."""

    scope = forms.ChoiceField(
        label=_("What do you want to stop?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you want to stop")},
    )
    reason = forms.CharField(
        label=_("Is there something you want to tell us? (optional)"),
        required=False,
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: object, has_evenings: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        names = dict(SCOPE_NAMES)
        if not has_evenings:
            del names[WithdrawalScope.INTERVENTION]
        self.fields["scope"].choices = list(names.items())

    @property
    def scope_name(self) -> str:
        """The chosen scope in words."""
        return str(SCOPE_NAMES[self.cleaned_data["scope"]])


class RatingForm(forms.Form):
    """What is said of one night's music."""

    night_on = forms.DateField()
    rating = forms.ChoiceField(choices=ratings)


class HeardForm(forms.Form):
    """Stretches of tonight's file that were played, as the page reports them."""

    night = forms.IntegerField(min_value=1)
    client_id = forms.UUIDField()
    intervals = forms.CharField(max_length=20_000)

    def clean_intervals(self) -> list[list[float]]:
        """Return pairs of seconds, each with its start before its end."""
        try:
            raw = json.loads(self.data["intervals"])
            pairs = [[float(start), float(end)] for start, end in raw]
        except (TypeError, ValueError) as error:
            raise forms.ValidationError("pairs of seconds were expected") from error
        in_order = all(
            math.isfinite(start) and math.isfinite(end) and 0 <= start < end for start, end in pairs
        )
        if not pairs or len(pairs) > STRETCHES_AT_MOST or not in_order:
            raise forms.ValidationError("1 to 200 pairs with start before end were expected")
        return pairs
