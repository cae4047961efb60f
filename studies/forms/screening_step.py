"""The wizard's step on what is asked before consent."""

from collections.abc import Iterator

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from studies.design.protocol import Protocol
from studies.design.screening import CPSS_MAX, NAME_LENGTH, NO, YES
from studies.forms.step import Parts, StepForm

QUESTIONS_MIN, QUESTIONS_SPARE = 3, 2


class ScreeningStep(StepForm):
    """Questions and a questionnaire that decide who is asked for consent."""

    cpss_at_least = forms.IntegerField(
        label=_("Ask the CPSS before consent, and take a total from"),
        required=False,
        min_value=0,
        max_value=CPSS_MAX,
        help_text=_("Empty: it is not asked. Baseline asks it anew in any case."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "class": "short"}),
    )

    def add_fields(self) -> None:
        """Add a row of fields for each question and a few more."""
        n_questions = len(self.protocol.screening.questions)
        self.n_rows = max(QUESTIONS_MIN, n_questions + QUESTIONS_SPARE)
        for number in range(1, self.n_rows + 1):
            place = {"number": number}
            self.fields[f"name_{number}"] = forms.CharField(
                label=_("Question %(number)d: its name") % place,
                required=False,
                max_length=NAME_LENGTH,
                help_text=_(
                    "For the records, in letters, digits and underscores. Empty: no question."
                ),
            )
            for language, name in settings.LANGUAGES:
                self.fields[f"text_{number}_{language}"] = forms.CharField(
                    label=_("Question %(number)d in %(language)s") % {**place, "language": name},
                    required=False,
                    widget=forms.TextInput(attrs={"lang": language}),
                )
            self.fields[f"excludes_{number}"] = forms.ChoiceField(
                label=_("Question %(number)d: cannot take part who answers") % place,
                choices=[(YES, _("Yes")), (NO, _("No"))],
                required=False,
                widget=forms.RadioSelect,
            )

    def initial_of(self, protocol: Protocol) -> dict[str, object]:
        """Return the questions there are, row by row."""
        found: dict[str, object] = {"cpss_at_least": protocol.screening.cpss_at_least}
        for number in range(1, self.n_rows + 1):
            found[f"excludes_{number}"] = YES
        for number, question in enumerate(protocol.screening.questions, start=1):
            found[f"name_{number}"] = question.name
            found[f"excludes_{number}"] = question.excludes
            for language, text in question.texts:
                found[f"text_{number}_{language}"] = text
        return found

    def parts(self) -> Parts:
        """Return the protocol's parts with this screening; without any the part is left out."""
        cut, questions = self.cleaned_data["cpss_at_least"], list(self._questions())
        screening = {"cpss_at_least": cut} if cut is not None else {}
        return {**self.plain, "screening": {**screening, "questions": questions}}

    def _questions(self) -> Iterator[Parts]:
        before = {q.name: dict(q.texts) for q in self.protocol.screening.questions}
        stated = self.cleaned_data
        for number in range(1, self.n_rows + 1):
            if not (name := stated[f"name_{number}"]):
                continue
            texts = dict(before.get(name, {}))
            for language, _name in settings.LANGUAGES:
                if text := stated[f"text_{number}_{language}"]:
                    texts[language] = text
                else:
                    texts.pop(language, None)
            yield {"name": name, "excludes": stated[f"excludes_{number}"] or YES, "texts": texts}
