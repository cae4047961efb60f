"""A whole instrument on one page, to enter what stands on paper.

Nothing is asked in order and nothing is hidden: on paper everything can be answered, and anything
left blank. A blank is said, never guessed from a field that was passed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from questionnaires.forms.item import ItemForm
from questionnaires.instruments.instrument import Instrument, Item
from questionnaires.instruments.wording import Wording


class BlankForm(forms.Form):
    """Whether an item was left blank."""

    blank = forms.BooleanField(label=_("Left blank on the paper"), required=False)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One item, and whether the paper has nothing there."""

    form: ItemForm
    blank: BlankForm
    contradicts: bool = False

    @property
    def error(self) -> str:
        """The one thing to put right; empty if there is nothing."""
        if self.contradicts:
            return str(_("Either enter the answer or say that it was left blank."))
        return self.form.error


class Sheet:
    """All items of an instrument, filled in or not.

    After `is_valid`, `answers` has the item's key and what was written, and `blank` the keys of the
    items that the paper leaves blank.
    """

    def __init__(
        self,
        instrument: Instrument,
        language: str,
        data: Mapping[str, str] | None = None,
        *,
        wording: Wording,
    ) -> None:
        self._instrument, self._language, self._wording = instrument, language, wording
        self._data = data
        blanks = {item.key: _blank(item, data) for item in instrument.items}
        self.blank = [key for key, form in blanks.items() if form["blank"].value()]
        given = {item.key: self._form(item, data) for item in instrument.items}
        self._filled = {key for key, form in given.items() if _is_filled(form, data)}
        self._given = given
        self.rows = [
            SheetRow(
                self._shown(item),
                blanks[item.key],
                contradicts=item.key in self._filled and item.key in self.blank,
            )
            for item in instrument.items
        ]

    @property
    def is_refused(self) -> bool:
        """Whether it was sent and something is to be put right."""
        return self._data is not None and bool(self.errors)

    def is_valid(self) -> bool:
        """Tell whether every item that applies is entered rightly, or was left blank."""
        return self._data is not None and not self.errors

    @property
    def errors(self) -> list[SheetRow]:
        """The rows that something is to be put right in."""
        return [row for row in self.rows if row.error]

    @property
    def answers(self) -> dict[str, str]:
        """What was written, by item."""
        return {key: self._given[key].raw for key in self._filled if self._given[key].is_valid()}

    def _shown(self, item: Item) -> ItemForm:
        """Return the form of an item; one that nobody had to fill in says nothing."""
        if item.key in self._filled:
            return self._given[item.key]
        if self._data is None or item.key in self.blank or not self._is_missing(item):
            return self._form(item, None)
        return self._given[item.key]

    def _is_missing(self, item: Item) -> bool:
        values = {
            key: form.cleaned_data["value"]
            for key, form in self._given.items()
            if key in self._filled and form.is_valid()
        }
        return item.key in self._instrument.missing_keys(values)

    def _form(self, item: Item, data: Mapping[str, str] | None) -> ItemForm:
        return ItemForm(
            self._instrument,
            item,
            self._language,
            data,
            wording=self._wording,
            prefix=item.key,
        )


def _blank(item: Item, data: Mapping[str, str] | None) -> BlankForm:
    return BlankForm(data, prefix=f"{item.key}-paper", use_required_attribute=False)


def _is_filled(form: ItemForm, data: Mapping[str, str] | None) -> bool:
    return data is not None and any(data.get(field.html_name, "").strip() for field in form)
