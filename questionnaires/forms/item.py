"""One item as an accessible form: works without scripts, never pre-selects an answer.

The page brings the form element, its token, the error summary and the button; this form brings the
fields, and `questionnaires/item.html` draws them. After validation `form.raw` goes to
`save_answer`, which reads it again: the form only decides early whether it fits.
"""

from collections.abc import Mapping

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from questionnaires.forms.review import read_back
from questionnaires.instruments.clock import MINUTES_IN_HOUR
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.instruments.instrument import Instrument, Item, Kind, Value
from questionnaires.instruments.reading import read_answer
from questionnaires.instruments.wording import ItemWording, Wording
from questionnaires.selectors import wording_of

MISSING = {
    Kind.CHOICE: _("Choose one answer."),
    Kind.TIME: _("Write the hour and the minutes."),
    Kind.MINUTES: _("Write the number of minutes. It can be 0."),
    Kind.HOURS_MINUTES: _("Write the hours and the minutes."),
    Kind.COUNT: _("Write how many times. It can be 0."),
    Kind.TEXT: _("Write a few words."),
    Kind.NUMBER: _("Write a number."),
    Kind.WHOLE_NUMBER: _("Write a number."),
    Kind.DATE: _("Write a date like 2026-03-31."),
}
OUT_OF_RANGE = {
    Kind.MINUTES: _("Write a number of minutes from %(low)s to %(high)s."),
    Kind.HOURS_MINUTES: _("Write a length from %(low)s to %(high)s hours."),
    Kind.COUNT: _("Write a number from %(low)s to %(high)s."),
    Kind.NUMBER: _("Write a number from %(low)s to %(high)s."),
    Kind.WHOLE_NUMBER: _("Write a number from %(low)s to %(high)s."),
}
REFUSALS = {
    "not_a_choice": _("Choose one of the answers."),
    "not_a_number": _("Write a number, in digits only."),
    "not_a_whole_number": _("Write a whole number, such as 2."),
    "not_a_time": _("That is not a time of day. Write it like 22:30."),
    "not_a_duration": _("The minutes go from 0 to 59."),
    "not_a_date": _("That is not a date. Write it like 2026-03-31."),
    "too_long": _("Write at most %(high)s characters."),
    "garbled": _("Some of these characters cannot be read. Write it again."),
    "wrong_type": _("Write the answer again."),
}


class NumberInput(forms.TextInput):
    """A text field with a number keypad: no spinner, no scroll wheel, keeps what was typed."""

    def __init__(self, inputmode: str = "numeric") -> None:
        super().__init__({"inputmode": inputmode, "autocomplete": "off", "class": "short"})


class ItemForm(forms.Form):
    """Ask one item in one language.

    `value` is the answer kept so far; an item that was never answered shows nothing selected, but
    for what is `suggested`: the usual time of a diary, in its field to be confirmed or changed.
    `wording` is the one that a begun response goes on with; without it the one in force now.
    `prefix` tells the items of one page apart.
    """

    def __init__(
        self,
        instrument: Instrument,
        item: Item,
        language: str,
        data: Mapping[str, str] | None = None,
        *,
        value: Value = None,
        suggested: Value = None,
        wording: Wording | None = None,
        prefix: str | None = None,
    ) -> None:
        shown = suggested if value is None else value
        super().__init__(
            data, initial=_parts_of(item, shown), prefix=prefix, use_required_attribute=False
        )
        self.instrument = instrument
        self.item = item
        self.language = language
        self.value = value
        if wording is not None:
            self.wording = wording
        self.fields.update(_fields(item, self.wording))
        self.raw = ""

    @cached_property
    def wording(self) -> Wording:
        """Return the words of the instrument in the form's language."""
        return wording_of(self.instrument.key, self.language)

    @property
    def words(self) -> ItemWording:
        """The words of this item."""
        return self.wording.items[self.item.key]

    @property
    def is_group(self) -> bool:
        """Whether several controls share one legend."""
        return self.item.kind in (Kind.CHOICE, Kind.TIME, Kind.HOURS_MINUTES)

    @property
    def read_back(self) -> str:
        """The kept time as a sentence; empty for other items, before an answer, under a mistake."""
        return "" if self.error else read_back(self.item, self.value, self.wording)

    @property
    def error(self) -> str:
        """The one thing to put right; empty if there is nothing."""
        return next((errors[0] for errors in self.errors.values()), "") if self.is_bound else ""

    @property
    def is_suggested(self) -> bool:
        """Whether what stands in the field is no answer yet, but the usual one."""
        return self.value is None and bool(self.initial)

    @property
    def first_id(self) -> str:
        """Id of the first control, where an error summary leads.

        The hint and the error are `<first id>_helptext` and `<first id>_error`: these are the ids
        that Django names in `aria-describedby` of a single control.
        """
        return self[next(iter(self.fields))].auto_id

    @property
    def described_by(self) -> str:
        """Ids of the hint and the error, for a group of controls."""
        notes = [("helptext", self.words.hint), ("error", self.error)]
        return " ".join(f"{self.first_id}_{name}" for name, text in notes if text)

    @property
    def options(self) -> list[dict[str, object]]:
        """The choices with their ids; the first has the id that an error summary links to."""
        chosen, first = self["answer"].value(), self["answer"].auto_id
        return [
            {
                "id": f"{first}_{place}" if place else first,
                "code": code,
                "label": label,
                "is_chosen": chosen is not None and str(chosen) == str(code),
            }
            for place, (code, label) in enumerate(self.wording.choices(self.item))
        ]

    def clean(self) -> dict[str, object]:
        """Read the answer as a whole and put what is wrong beside the first field."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        self.raw = _raw_of(self.item, cleaned)
        try:
            cleaned["value"] = read_answer(self.item, self.raw)
        except AnswerRefused as refusal:
            self.add_error(next(iter(self.fields)), _refusal_text(self.item, refusal))
        return cleaned


def _fields(item: Item, wording: Wording) -> dict[str, forms.Field]:
    if item.kind is Kind.TIME:
        return {
            "hour": _number_field(pgettext_lazy("time of day", "Hour")),
            "minute": _number_field(pgettext_lazy("time of day", "Minutes")),
        }
    if item.kind is Kind.HOURS_MINUTES:
        return {
            "hours": _number_field(pgettext_lazy("length of time", "Hours")),
            "minutes": _number_field(pgettext_lazy("length of time", "Minutes")),
        }
    words = wording.items[item.key]
    if item.kind is Kind.CHOICE:
        return {"answer": forms.CharField(label=words.label, required=False)}
    if item.kind is Kind.TEXT:
        widget = forms.Textarea({"rows": 3})
        return {"answer": _field(words.label, widget, words.hint)}
    if item.kind in (Kind.NUMBER, Kind.DATE):
        return {"answer": _field(words.label, NumberInput("text"), words.hint)}
    return {"answer": _number_field(words.label, words.hint)}


def _number_field(label: str, hint: str = "") -> forms.CharField:
    return _field(label, NumberInput(), hint)


def _field(label: str, widget: forms.Widget, hint: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, widget=widget, help_text=hint)


def _parts_of(item: Item, value: Value) -> dict[str, object]:
    """Return a kept value as the fields show it."""
    if value is None:
        return {}
    if item.kind is Kind.TIME:
        hour, minute = value.split(":")
        return {"hour": hour, "minute": minute}
    if item.kind is Kind.HOURS_MINUTES:
        if isinstance(value, str):
            return {"hours": value}
        hours, minutes = divmod(round(value * MINUTES_IN_HOUR), MINUTES_IN_HOUR)
        return {"hours": hours, "minutes": minutes}
    return {"answer": value}


def _raw_of(item: Item, fields: Mapping[str, str]) -> str:
    """Return the answer as one text, the way it is kept beside its value."""
    if item.kind is Kind.TIME:
        hour, minute = fields["hour"], fields["minute"]
        return f"{hour}:{minute.zfill(2)}" if hour and minute else hour or minute
    if item.kind is Kind.HOURS_MINUTES:
        hours, minutes = fields["hours"], fields["minutes"]
        return f"{hours or 0}:{minutes.zfill(2)}" if minutes else hours
    return fields["answer"]


def _refusal_text(item: Item, refusal: AnswerRefused) -> str:
    by_kind = {"missing": MISSING, "out_of_range": OUT_OF_RANGE}.get(refusal.code)
    text = by_kind[item.kind] if by_kind else REFUSALS[refusal.code]
    return text % refusal.params if refusal.params else text
