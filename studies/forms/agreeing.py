"""What is asked before somebody agrees to a consent text."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from studies.forms.participant import NO, TALK, YES


class QuestionsForm(forms.Form):
    """The questions on a text, each with its options."""

    def __init__(
        self, *args: object, questions: Sequence[dict[str, Any]], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)
        self._questions = questions
        for number, question in enumerate(questions, start=1):
            self.fields[f"question_{number}"] = forms.TypedChoiceField(
                label=question["question"],
                choices=list(enumerate(question["options"], start=1)),
                coerce=int,
                widget=forms.RadioSelect,
                error_messages={"required": gettext_lazy("Choose an answer")},
            )

    @property
    def chosen(self) -> list[int]:
        """The options that were chosen, from 1, in the order of the questions."""
        return [self.cleaned_data[name] for name in self.fields]

    def mark(self, missed: Sequence[int]) -> None:
        """Say at each question that was missed which page to read again."""
        for number in missed:
            page = {"page": self._questions[number - 1]["page"]}
            self.add_error(
                f"question_{number}",
                _("That is not what the text says. Read page %(page)d again") % page,
            )


class PermissionForm(forms.Form):
    """Whether a parent or guardian permits it, and in which name."""

    decision = forms.ChoiceField(
        label=gettext_lazy("May your child take part?"),
        choices=[
            (YES, gettext_lazy("Yes, my child may take part")),
            (NO, gettext_lazy("No, my child may not take part")),
            (TALK, gettext_lazy("I want to talk to someone first")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what you want to do")},
    )
    signed_as = forms.CharField(
        label=gettext_lazy("Your full name"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Needed for a yes. It is kept under seal, on the signed copy only."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    is_entitled = forms.BooleanField(
        label=gettext_lazy("I am a parent or guardian of this child and may decide this."),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        """Return the decision; a yes has a name and says that its giver may decide."""
        data = super().clean()
        if data.get("decision") == YES:
            if not data.get("signed_as", "").strip():
                self.add_error("signed_as", _("Enter your full name"))
            if not data.get("is_entitled"):
                self.add_error("is_entitled", _("Tick this if you may decide for the child"))
        return data
