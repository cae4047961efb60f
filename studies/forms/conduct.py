"""What staff fill in while a trial runs, and what a participant writes who is not OK."""

from django import forms
from django.utils.translation import gettext_lazy as _

from studies.design.safety import CRITERIA
from studies.forms.once import OnceForm
from studies.models.deviation import Impact
from studies.models.safety import EventState, Relation, Severity
from studies.services.conduct.events import Account
from studies.services.conduct.items import WORDS_AT_MOST

CRITERIA_NAMES = {
    "death": _("Death"),
    "life_threatening": _("Life-threatening"),
    "hospital": _("Hospital stay, or a longer one"),
    "disability": _("Lasting disability"),
    "congenital": _("Birth defect"),
    "important": _("Medically important for another reason"),
}
NAME_NOBODY = _("Name nobody: no names, places or phone numbers.")
WORDS_MAX = 2000
ENTER_WORDS = {"required": _("Write one sentence at least")}


def _words(label: str, *, required: bool = True, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=WORDS_MAX,
        help_text=NAME_NOBODY,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages=ENTER_WORDS,
    )


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": _("Enter a date"), "invalid": _("Enter a date")},
    )


class NotOkForm(forms.Form):
    """What somebody wants to tell, if anything."""

    words = forms.CharField(
        label=_("Do you want to tell us more? (optional)"),
        required=False,
        max_length=WORDS_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class NoteForm(forms.Form):
    """What was done about something."""

    words = _words(_("What was done?"))


class HarmsForm(forms.Form):
    """What somebody said who was asked about harms."""

    was_untoward = forms.ChoiceField(
        label=_("What was the answer?"),
        choices=[("no", _("No, nothing untoward")), ("yes", _("Yes: I report it next"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )


class EventForm(OnceForm):
    """An adverse event, as it is known now."""

    began_on = _day(_("When did it begin?"))
    words = _words(_("What happened?"), rows=5)
    severity = forms.ChoiceField(
        label=_("How strong is it?"),
        choices=Severity.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )
    relation = forms.ChoiceField(
        label=_("May the study's treatment have caused it?"),
        choices=Relation.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )
    is_expected = forms.BooleanField(label=_("The protocol expects such events"), required=False)
    criteria = forms.MultipleChoiceField(
        label=_("What makes it serious? Choose none if nothing does."),
        required=False,
        choices=[(name, CRITERIA_NAMES[name]) for name in CRITERIA],
        widget=forms.CheckboxSelectMultiple,
    )

    @property
    def account(self) -> Account:
        """What is reported."""
        return Account(**{**self.stated, "criteria": tuple(self.cleaned_data["criteria"])})


class EventStepForm(forms.Form):
    """The next step of an adverse event; which ones there are follows from where it is."""

    STEPS = {
        EventState.REPORTED: ("triage",),
        EventState.TRIAGED: ("follow", "resolve"),
        EventState.OPEN: ("follow", "resolve"),
        EventState.RESOLVED: ("close", "follow"),
        EventState.CLOSED: (),
    }
    NAMES = {
        "triage": _("Triage it: serious or not"),
        "follow": _("Follow it: it goes on"),
        "resolve": _("Resolve it: it is over"),
        "close": _("Close it for good"),
    }

    def __init__(self, *args: object, state: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        steps = self.STEPS[state]
        self.fields["step"] = forms.ChoiceField(
            label=_("What now?"),
            choices=[(step, self.NAMES[step]) for step in steps],
            widget=forms.RadioSelect,
            error_messages={"required": _("Choose one")},
        )
        if "triage" in steps:
            self.fields["criteria"] = EventForm.base_fields["criteria"]
        if "resolve" in steps:
            self.fields["ended_on"] = forms.DateField(
                label=_("When did it end? (to resolve it)"),
                required=False,
                widget=forms.DateInput(attrs={"type": "date"}),
                error_messages={"invalid": _("Enter a date")},
            )
        self.fields["words"] = _words(_("What is known now?"))

    def clean(self) -> dict[str, object]:
        """Return the step; one that resolves has an end."""
        stated = super().clean()
        if stated.get("step") == "resolve" and not stated.get("ended_on"):
            self.add_error("ended_on", _("Enter a date"))
        return stated


class DeviationForm(OnceForm):
    """A deviation that somebody noticed."""

    happened_on = _day(_("When did it happen?"))
    words = _words(_("What happened?"))


class AssessDeviationForm(forms.Form):
    """What a deviation means, and what was done."""

    impact = forms.ChoiceField(
        label=_("What does it mean for people and results?"),
        choices=Impact.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one")},
    )
    measures = _words(_("What was done, and so that it does not happen again?"))


class AskForm(forms.Form):
    """A question about one answer."""

    answer = forms.ChoiceField(
        label=_("Which answer?"), error_messages={"required": _("Choose one")}
    )
    question = _words(_("What is the question?"))

    def __init__(self, *args: object, answers: list[tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].choices = answers


class QueryStepForm(forms.Form):
    """The next step of a query."""

    NAMES = {
        "answer": _("Answer it"),
        "again": _("Ask again"),
        "close": _("Close it: settled"),
    }

    def __init__(self, *args: object, steps: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["step"] = forms.ChoiceField(
            label=_("What now?"),
            choices=[(step, self.NAMES[step]) for step in steps],
            widget=forms.RadioSelect,
            error_messages={"required": _("Choose one")},
        )
        self.fields["words"] = _words(_("What was found?"))
