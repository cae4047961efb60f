"""One item a page: the same pages for a visit's instruments and for the sleep diary."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from questionnaires.forms import ItemForm, review_rows
from questionnaires.instruments.errors import UnknownItem
from questionnaires.models import Response
from questionnaires.selectors import Place, answers_of, first_unanswered, place_of
from studies.models.participant import Participant
from studies.views.posting import posted


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is being answered: its response, the address of its pages, and how an answer is kept."""

    response: Response
    address: str
    save: Callable[..., object]
    title: str

    def item_url(self, key: str) -> str:
        """Return the page of one item."""
        return f"{self.address}{key}/"

    @property
    def check_url(self) -> str:
        """The page before the answers are sent."""
        return f"{self.address}check/"

    @property
    def next_url(self) -> str:
        """Where answering goes on: the first item without an answer, else the check page."""
        key = first_unanswered(self.response)
        return self.item_url(key) if key else self.check_url


def item_page(
    request: HttpRequest, participant: Participant, sheet: Sheet, key: str
) -> HttpResponse:
    """Ask one item; Continue keeps the answer and goes on."""
    place = _place(sheet, key)
    response = sheet.response
    form = ItemForm(
        response.definition,
        place.item,
        response.language,
        posted(request),
        value=answers_of(response).get(key),
    )
    if form.is_valid():
        sheet.save(item_key=key, raw=form.raw, elapsed_ms=_elapsed_ms(request))
        return redirect(_following(sheet, key))
    back = sheet.item_url(place.previous_key) if place.previous_key else "/me/"
    context = {
        "participant": participant,
        "form": form,
        "place": place,
        "previous": back,
        "sheet": sheet,
    }
    return render(request, "studies/participant/item.html", context)


def check_page(request: HttpRequest, participant: Participant, sheet: Sheet) -> HttpResponse:
    """Show all answers as sentences, and ask back what looks like a slip."""
    if first_unanswered(sheet.response):
        return redirect(sheet.next_url)
    rows = review_rows(sheet.response, sheet.response.language)
    context = {
        "participant": participant,
        "sheet": sheet,
        "rows": rows,
        "asks_back": any(row.question for row in rows),
        "url_prefix": sheet.address,
        "language": sheet.response.language,
        "previous": sheet.item_url(rows[-1].item_key),
    }
    return render(request, "studies/participant/check.html", context)


def _place(sheet: Sheet, key: str) -> Place:
    try:
        return place_of(sheet.response, key)
    except UnknownItem as error:
        raise Http404 from error


def _following(sheet: Sheet, key: str) -> str:
    """Return the next page; the answer just kept may have opened or closed items."""
    next_key = place_of(sheet.response, key).next_key
    if next_key is None or first_unanswered(sheet.response) is None:
        return sheet.next_url
    return sheet.item_url(next_key)


def _elapsed_ms(request: HttpRequest) -> int | None:
    typed = request.POST.get("elapsed_ms", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None
