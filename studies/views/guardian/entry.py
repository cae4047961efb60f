"""A guardian's private link, with a PIN of their own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from studies.models.access import Holder
from studies.services.entry.access import link_for_token
from studies.views.participant.entry import CLOSED_LINK, ask_pin, closed_link
from studies.views.participant.session import GUARDIANS, end, forget_link, speak


@require_safe
def private_link(request: HttpRequest, token: str) -> HttpResponse:
    """Welcome a guardian; looking at the link changes nothing, so a mail scanner may."""
    try:
        link = link_for_token(token, Holder.GUARDIAN)
    except CLOSED_LINK as refusal:
        return closed_link(request, refusal)
    speak(request, link.participant.guardian.language)
    if link.pin_hash:
        return redirect("studies:guardian_link_pin", token=token)
    return render(request, "studies/guardian/welcome.html", {"link": link, "token": token})


def link_pin(request: HttpRequest, token: str) -> HttpResponse:
    return ask_pin(request, token, GUARDIANS)


def pin(request: HttpRequest) -> HttpResponse:
    return ask_pin(request, request.COOKIES.get(GUARDIANS.cookie, ""), GUARDIANS)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out; the child's own pages on this device are left as they are."""
    end(request, GUARDIANS)
    return forget_link(render(request, "studies/entry/left.html"), GUARDIANS)
