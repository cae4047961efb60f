"""What a form is bound to."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

REFUSED = "refused"


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, also when every field was left empty; None for a first look."""
    return request.POST if request.method == "POST" else None


def ask_again(request: HttpRequest) -> HttpResponse:
    """Lead back to the page of a form whose answer cannot be taken, with what was typed.

    The page is then one that was asked for, not one that was sent: going back from it, or loading
    it again, never asks whether to send the form a second time.
    """
    request.session[REFUSED] = {"path": request.path, "typed": request.POST.urlencode()}
    return redirect(request.path)


def typed(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, or was refused just before (`ask_again`); None for a first look."""
    if request.method == "POST":
        return request.POST
    refused = request.session.pop(REFUSED, None)
    if refused is None or refused["path"] != request.path:
        return None
    return QueryDict(refused["typed"])


def wants_data(request: HttpRequest) -> bool:
    """Return whether a script asks, which reads data and statuses instead of pages."""
    return request.headers.get("Accept") == "application/json"
