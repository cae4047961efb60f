"""The screening questions of a protocol on one page, for the participant or for staff."""

from collections.abc import Iterator

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from questionnaires.instruments import instrument_named
from questionnaires.selectors import wording_of
from studies.design.screening import CPSS, NO, YES, ScreeningPlan

ASKED, ITEM = "asked_", "cpss_"
CHOOSE = {"required": _("Choose an answer")}


class ScreeningForm(forms.Form):
    """Each question of the plan, then each item of the CPSS where the plan asks it."""

    def __init__(self, *args: object, plan: ScreeningPlan, language: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        yes_no = [(YES, pgettext_lazy("an answer", "Yes")), (NO, pgettext_lazy("an answer", "No"))]
        for question in plan.questions:
            self._ask(ASKED + question.name, question.text_in(language), yes_no)
        self.stem = ""
        if plan.rules:
            wording = wording_of(CPSS, language)
            self.stem = wording.stem
            for item in instrument_named(CPSS).items:
                label = wording.items[item.key].label
                self._ask(ITEM + item.key, label, wording.choices(item))

    def _ask(self, name: str, label: str, choices: list[tuple[object, object]]) -> None:
        self.fields[name] = forms.ChoiceField(
            label=label, choices=choices, widget=forms.RadioSelect, error_messages=CHOOSE
        )

    @property
    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """The fields in their order, each stretch with the words that stand before it."""
        for stem, prefix in (("", ASKED), (self.stem, ITEM)):
            if found := [field for field in self if field.name.startswith(prefix)]:
                yield stem, found

    @property
    def still_open(self) -> list[forms.BoundField]:
        """The questions that need an answer, or another one."""
        return [field for field in self if field.errors]

    @property
    def answers(self) -> dict[str, str]:
        """What was answered, by the question's name."""
        return self._typed(ASKED)

    @property
    def cpss(self) -> dict[str, str]:
        """The answers to the CPSS, by item."""
        return self._typed(ITEM)

    def _typed(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): value
            for name, value in self.cleaned_data.items()
            if name.startswith(prefix)
        }
