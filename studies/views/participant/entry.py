"""The front page, the private link with its PIN, and the page with help."""

from http import HTTPStatus

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from studies import clock
from studies.exceptions import (
    LinkExpired,
    LinkLocked,
    LinkRevoked,
    LinkUnknown,
    PinAlreadySet,
    PinTooSimple,
    PinWrong,
)
from studies.forms.entry import NewPinForm, PinForm
from studies.models.access import Holder, PrivateLink
from studies.models.participant import Participant
from studies.services.entry.access import link_for_token, set_pin, sign_in
from studies.services.music.preferences import choose_language
from studies.views.participant.session import (
    PARTICIPANTS,
    Door,
    begin,
    dim,
    end,
    forget_link,
    remember_link,
    signed_in,
    speak,
)
from studies.views.posting import posted

# Unsent answers, kept files, the service worker; cookies stay, a member of staff may share them.
CLEARED = '"storage"'
CLOSED_LINK = (LinkUnknown, LinkRevoked, LinkExpired)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    return render(request, "studies/entry/front.html", {"participant": _visitor(request)})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "studies/entry/help.html", {"participant": _visitor(request)})


@require_safe
def private_link(request: HttpRequest, token: str) -> HttpResponse:
    """Welcome the holder of a link; looking at it changes nothing, so a mail scanner may."""
    try:
        link = link_for_token(token)
    except CLOSED_LINK as refusal:
        return closed_link(request, refusal)
    speak(request, link.participant.language)
    dim(request, link.participant)
    if link.pin_hash:
        return redirect("studies:link_pin", token=token)
    return render(request, "studies/entry/welcome.html", {"link": link, "token": token})


def link_pin(request: HttpRequest, token: str) -> HttpResponse:
    """Take the PIN of this link: a new one twice, or the one it has."""
    return ask_pin(request, token, PARTICIPANTS)


def pin(request: HttpRequest) -> HttpResponse:
    """Ask for the PIN again on a device that knows its private link."""
    return ask_pin(request, request.COOKIES.get(PARTICIPANTS.cookie, ""), PARTICIPANTS)


def ask_pin(request: HttpRequest, token: str, door: Door) -> HttpResponse:
    """Take the PIN of a link and let its holder in; an empty token is a device that knows none."""
    try:
        link = link_for_token(token, door.holder)
    except CLOSED_LINK as refusal:
        return closed_link(request, refusal if token else None)
    return _pin_page(request, token=token, link=link, door=door)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out; what the device kept for its owner goes with it."""
    _visitor(request)
    end(request)
    response = forget_link(render(request, "studies/entry/left.html"))
    response["Clear-Site-Data"] = CLEARED
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the pages of this device; a signed-in participant's texts follow."""
    response = set_language(request)
    participant = signed_in(request)
    if participant and settings.LANGUAGE_COOKIE_NAME in response.cookies:
        chosen = response.cookies[settings.LANGUAGE_COOKIE_NAME].value
        choose_language(participant=participant, language=chosen)
    return response


def _visitor(request: HttpRequest) -> Participant | None:
    """Return who is signed in, if anybody is, and speak their language."""
    participant = signed_in(request)
    if participant:
        speak(request, participant.language)
        dim(request, participant)
    return participant


def _pin_page(request: HttpRequest, *, token: str, link: PrivateLink, door: Door) -> HttpResponse:
    speak(request, _language_of(link))
    dim(request, link.participant)
    form = (PinForm if link.pin_hash else NewPinForm)(posted(request))
    if form.is_valid() and _opens(form, token=token, link=link):
        begin(request, link=link, door=door)
        if door is PARTICIPANTS and settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
            choose_language(participant=link.participant, language=request.LANGUAGE_CODE)
        return remember_link(redirect(_next_page(request, door)), token, door)
    context = {"form": form, "link": link, "next": request.GET.get("next", "")}
    return render(request, "studies/entry/pin.html", context)


def _language_of(link: PrivateLink) -> str:
    is_guardian = link.holder == Holder.GUARDIAN
    return link.participant.guardian.language if is_guardian else link.participant.language


def _opens(form: forms.Form, *, token: str, link: PrivateLink) -> bool:
    """Return whether the PIN opens the link; a refusal becomes an error of the form."""
    enter = sign_in if link.pin_hash else set_pin
    try:
        enter(token=token, pin=form.cleaned_data["pin"], holder=link.holder)
    except PinTooSimple:
        form.add_error("pin", _("Choose a PIN that is harder to guess, without a simple pattern"))
    except PinAlreadySet:
        form.add_error(None, _("This link has a PIN already. Open the page again and enter it"))
    except PinWrong as refusal:
        form.add_error("pin", _tries(refusal.attempts_left))
    except LinkLocked as refusal:
        form.add_error("pin", _pause(refusal))
    return not form.errors


def _tries(left: int) -> str:
    return ngettext(
        "This is not the PIN of your link. You can try %(left)d more time",
        "This is not the PIN of your link. You can try %(left)d more times",
        left,
    ) % {"left": left}


def _pause(refusal: LinkLocked) -> str:
    minutes = max(1, -(-int((refusal.until - clock.now()).total_seconds()) // 60))
    return ngettext(
        "Too many tries. Wait %(minutes)d minute, then try again",
        "Too many tries. Wait %(minutes)d minutes, then try again",
        minutes,
    ) % {"minutes": minutes}


def _next_page(request: HttpRequest, door: Door) -> str:
    target = request.GET.get("next", "")
    home = reverse(door.home)
    if target.startswith(home) and url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return home


def closed_link(request: HttpRequest, refusal: Exception | None) -> HttpResponse:
    """Say calmly why a link does not open, and what to do."""
    context = {"code": refusal.code if refusal else "none"}
    status = HTTPStatus.NOT_FOUND if refusal else HTTPStatus.OK
    return render(request, "studies/entry/closed_link.html", context, status=status)
