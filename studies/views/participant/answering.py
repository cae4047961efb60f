"""One item a page: the same pages for a visit's instruments and for the sleep diary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from questionnaires.forms import ItemForm, night_words, read_back, review_rows
from questionnaires.instruments.errors import UnknownItem
from questionnaires.models import Response
from questionnaires.selectors import (
    Place,
    answers_of,
    declined_items,
    first_unanswered,
    place_of,
    shown_answer,
    wording_for,
)
from studies.models.participant import Participant
from studies.views.posting import ask_again, typed, wants_data

# The name of the button "I do not want to answer".
DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is being answered: its response, the address of its pages, and how an answer is kept."""

    response: Response
    address: str
    save: Callable[..., object]
    title: str
    # Hands a sheet in with its last answer, for one that has no page to send it from.
    hand_in: Callable[[], object] | None = None
    # Whether one tap on a choice answers and goes on: for sheets of choices only.
    taps: bool = False
    # Whether answering goes on at the first item without an answer, past those filled in before.
    skips_answered: bool = False
    # How "I do not want to answer" is kept; None where the protocol does not offer it.
    decline: Callable[..., object] | None = None
    # What stands in an empty field to be confirmed or changed; nothing of it is an answer yet.
    suggested: Mapping[str, str] = field(default_factory=dict)

    def item_url(self, key: str) -> str:
        """Return the page of one item."""
        return f"{self.address}{key}/"

    @property
    def may_decline(self) -> bool:
        """Whether its items may be left unanswered by choice."""
        return self.decline is not None

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
    """Ask one item in the language of the page; Continue keeps the answer and goes on."""
    place = _place(sheet, key)
    if sheet.may_decline and DECLINED in request.POST:
        sheet.decline(item_key=key, **_manner(request))
        return _go_on(request, _following(sheet, key))
    form = ItemForm(
        sheet.response.definition,
        place.item,
        get_language(),
        typed(request),
        value=shown_answer(sheet.response, key),
        suggested=sheet.suggested.get(key),
        wording=wording_for(sheet.response, get_language()),
    )
    if request.method == "POST":
        return _keep(request, sheet, key, form)
    context = {
        "participant": participant,
        "form": form,
        "place": place,
        "previous": sheet.item_url(place.previous_key) if place.previous_key else "/me/",
        "sheet": sheet,
        "is_declined": key in declined_items(sheet.response),
        "said_back": _said_back(sheet.response, place.previous_key),
        "rest": _rest(sheet.response, key),
    }
    return render(request, "studies/participant/item.html", context)


def _keep(request: HttpRequest, sheet: Sheet, key: str, form: ItemForm) -> HttpResponse:
    if form.is_valid():
        sheet.save(item_key=key, raw=form.raw, **_manner(request))
        return _go_on(request, _following(sheet, key))
    if wants_data(request):
        return HttpResponse(status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return ask_again(request)


def check_page(
    request: HttpRequest, participant: Participant, sheet: Sheet, *, still_to_come: str = ""
) -> HttpResponse:
    """Show all answers as sentences, and ask back what looks like a slip.

    `still_to_come` is a time of day that has to pass before the sheet can be sent.
    """
    if first_unanswered(sheet.response):
        return redirect(sheet.next_url)
    rows = review_rows(sheet.response, get_language())
    context = {
        "participant": participant,
        "sheet": sheet,
        "rows": rows,
        "still_to_come": still_to_come,
        "night": night_words(sheet.response),
        "asks_back": any(row.question for row in rows),
        "url_prefix": sheet.address,
        "language": get_language(),
        "wording": wording_for(sheet.response, get_language()),
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
    is_complete = first_unanswered(sheet.response) is None
    if is_complete and sheet.hand_in:
        sheet.hand_in()
    if next_key is None or is_complete or sheet.skips_answered:
        return sheet.next_url
    return sheet.item_url(next_key)


def _go_on(request: HttpRequest, url: str) -> HttpResponse:
    """Lead on: a browser by itself, a script by telling it where."""
    return JsonResponse({"next": url}) if wants_data(request) else redirect(url)


def _said_back(response: Response, previous_key: str | None) -> str:
    """Return the time that was typed just before as a sentence; empty after any other item."""
    if previous_key is None:
        return ""
    wording = wording_for(response, get_language())
    value = answers_of(response).get(previous_key)
    return read_back(response.definition.item(previous_key), value, wording)


def _rest(response: Response, key: str) -> dict[str, int]:
    """Return the items after this one that are still without an answer, with their numbers."""
    answers = answers_of(response)
    keys = [item.key for item in response.definition.asked_items(answers)]
    first = keys.index(key) + 1 if key in keys else 0
    later = enumerate(keys[first:], start=first + 1)
    return {other: number for number, other in later if other not in answers}


def _manner(request: HttpRequest) -> dict[str, object]:
    """Return how an answer came: in which language, after how long, when it was given."""
    language = request.POST.get("language", "")
    return {
        "language": language if language in dict(settings.LANGUAGES) else get_language(),
        "elapsed_ms": _number(request, "elapsed_ms"),
        "key": _key(request),
        "waited_ms": _number(request, "waited_ms") or 0,
    }


def _key(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.POST.get("key", ""))
    except ValueError:
        return None


def _number(request: HttpRequest, name: str) -> int | None:
    typed = request.POST.get(name, "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 13 else None
