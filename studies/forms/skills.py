"""What is filled in around the lessons: exercises, messages, and the therapist's decisions."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.design.lessons import Exercise, ExerciseKind
from studies.models.sleep_window import Exclusion, SleepWindow
from studies.services.cbt.lessons import WORDS_AT_MOST
from studies.services.cbt.messages import CHARACTERS_AT_MOST
from studies.services.cbt.sleep_window import hours_and_minutes

# 6:45, 06:45, and the full-width colon of a Chinese keyboard.
TYPED_TIME = re.compile(r"\s*([0-9]{1,2})\s*[:.\uff1a]\s*([0-9]{2})\s*")


def read_time(typed: str) -> str:
    """Return a typed time as ``HH:MM``; raises ValidationError for what is none."""
    match = TYPED_TIME.fullmatch(typed)
    hour, minute = map(int, match.groups()) if match else (24, 0)
    if hour > 23 or minute > 59:
        raise forms.ValidationError(_("Write a time of day like 06:45"))
    return f"{hour:02d}:{minute:02d}"


class TimeOfDay(forms.CharField):
    """A time of day, typed in one field and kept as ``HH:MM``."""

    def __init__(self, **kwargs: object) -> None:
        attributes = {"class": "short", "autocomplete": "off"}
        super().__init__(
            max_length=40,
            widget=forms.TextInput(attrs=attributes),
            error_messages={"required": _("Write a time of day like 06:45")},
            **kwargs,
        )

    def clean(self, value: object) -> str:
        """Return the time in its kept form."""
        return read_time(super().clean(value))


class ExerciseForm(forms.Form):
    """One question at a lesson's end, by its kind; words may be left out."""

    def __init__(self, *args: object, exercise: Exercise, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        field = FIELDS[exercise.kind](exercise)
        field.label, field.help_text = exercise.question, exercise.hint
        self.fields["answer"] = field

    @property
    def answer(self) -> object:
        """The answer as `answer_exercise` takes it."""
        return self.cleaned_data["answer"]


def _choice(exercise: Exercise) -> forms.Field:
    return forms.ChoiceField(
        choices=[(choice.key, choice.label) for choice in exercise.choices],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )


def _several(exercise: Exercise) -> forms.Field:
    return forms.MultipleChoiceField(
        choices=[(choice.key, choice.label) for choice in exercise.choices],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one")},
    )


def _time(_exercise: Exercise) -> forms.Field:
    return TimeOfDay()


def _words(_exercise: Exercise) -> forms.Field:
    return forms.CharField(
        required=False, max_length=WORDS_AT_MOST, widget=forms.Textarea(attrs={"rows": 5})
    )


FIELDS = {
    ExerciseKind.CHOICE: _choice,
    ExerciseKind.SEVERAL: _several,
    ExerciseKind.TIME: _time,
    ExerciseKind.TEXT: _words,
}


class MessageForm(forms.Form):
    """A message to the other side."""

    text = forms.CharField(
        label=_("Your message"),
        max_length=CHARACTERS_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write a message first")},
    )


class ScreeningForm(forms.Form):
    """Reasons against a sleep window, asked before the first one."""

    exclusions = forms.MultipleChoiceField(
        label=_("Which of these does the participant have?"),
        choices=Exclusion.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    asked = forms.BooleanField(
        label=_("I asked for each of these"),
        error_messages={"required": _("Ask for each of these first")},
    )


class WindowForm(forms.Form):
    """A proposed sleep window, confirmed as it is or adjusted for a reason."""

    window_min = forms.TypedChoiceField(label=_("Time in bed"), coerce=int)
    rise_at = TimeOfDay(label=_("Time to get up"))
    reason = forms.CharField(
        label=_("Reason, if you change anything (optional)"),
        max_length=200,
        required=False,
        help_text=_("Kept in the audit trail: no names."),
    )
    approves_lower_floor = forms.BooleanField(
        label=_("I approve a window below the protocol's floor for this person"), required=False
    )

    def __init__(self, *args: object, window: SleepWindow, **kwargs: object) -> None:
        initial = {"window_min": window.proposed_min, "rise_at": window.rise_at}
        super().__init__(*args, initial=initial, **kwargs)
        rule = window.participant.study.plan.skills.window
        self.fields["window_min"].choices = [
            (length, hours_and_minutes(length)) for length in rule.lengths()
        ]


class DropCourseForm(forms.Form):
    """Why a changed course is not given after all."""

    reason = forms.CharField(
        label=_("Why is it given up?"),
        max_length=200,
        help_text=_("Kept in the audit trail with your account."),
        error_messages={"required": _("Enter a reason")},
    )


class AmendCourseForm(forms.Form):
    """Why the course is another one from now on."""

    reason = forms.CharField(
        label=_("What was changed, and who approved it?"),
        max_length=200,
        help_text=_("Kept in the audit trail with your account."),
        error_messages={"required": _("Enter a reason")},
    )
