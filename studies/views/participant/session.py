"""A participant's session: who, through which link, and when last seen.

Tonight's page stays open for thirty days, so that nobody types a PIN in bed. Everything that shows
or takes answers asks for the PIN again after ten idle minutes. The link's token lies in a cookie on
the participant's own device and is never kept by the server; a revoked link ends its sessions.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from studies.models.access import PrivateLink
from studies.models.participant import Participant
from studies.views.posting import wants_data

KEY = "participant"
LINK_COOKIE = "private_link"
IDLE_S = 10 * 60
KEPT_S = 30 * 24 * 3600
# A request within this time of the last one does not write the session again.
SEEN_STEP_S = 20

View = Callable[..., HttpResponse]


def begin(request: HttpRequest, *, link: PrivateLink) -> None:
    """Sign the holder of `link` in; the session gets a new key, against fixation."""
    request.session.cycle_key()
    request.session[KEY] = {
        "participant": link.participant_id,
        "link": link.pk,
        "seen": _now_s(),
    }
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_S)


def end(request: HttpRequest) -> None:
    """Sign the participant out; a member of staff in the same browser stays signed in."""
    request.session.pop(KEY, None)


def remember_link(response: HttpResponse, token: str) -> HttpResponse:
    """Leave the link's token on the device, for the PIN page alone."""
    response.set_cookie(
        LINK_COOKIE,
        token,
        max_age=KEPT_S,
        path=reverse("studies:pin"),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def forget_link(response: HttpResponse) -> HttpResponse:
    """Take the token away again: on this device the link has to be opened anew."""
    response.delete_cookie(LINK_COOKIE, path=reverse("studies:pin"), samesite="Lax")
    return response


def speak(request: HttpRequest, language: str) -> None:
    """Use the participant's language unless another one was chosen on this device."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


def signed_in(request: HttpRequest) -> Participant | None:
    """Return the participant who signed in with this browser, if their link still lives."""
    kept = request.session.get(KEY)
    if kept is None:
        return None
    return (
        Participant.objects.select_related("study")
        .filter(pk=kept["participant"], links__pk=kept["link"], links__revoked_at__isnull=True)
        .first()
    )


def participant_page(view: View) -> View:
    """Give the view its participant as second argument; ask for the PIN after ten idle minutes."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        participant = signed_in(request)
        if participant is None or _is_idle(request):
            if wants_data(request):
                return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
            return redirect(f"{reverse('studies:pin')}?{urlencode({'next': request.path})}")
        _touch(request)
        return _run(view, request, participant, *args, **kwargs)

    return guarded


def night_page(view: View) -> View:
    """Give the view its participant; a signed-in device stays signed in for thirty days."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        participant = signed_in(request)
        if participant is None:
            return redirect(f"{reverse('studies:pin')}?{urlencode({'next': request.path})}")
        return _run(view, request, participant, *args, **kwargs)

    return guarded


def night_data(view: View) -> View:
    """Like `night_page` for the player's own requests; a refusal has no words: nobody reads it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        participant = signed_in(request)
        if participant is None:
            return HttpResponse(status=HTTPStatus.FORBIDDEN)
        return _run(view, request, participant, *args, **kwargs)

    return guarded


def _run(view: View, request: HttpRequest, participant: Participant, *args, **kwargs):
    speak(request, participant.language)
    with timezone.override(ZoneInfo(participant.zone)):
        return view(request, participant, *args, **kwargs)


def _is_idle(request: HttpRequest) -> bool:
    return _now_s() - request.session[KEY]["seen"] > IDLE_S


def _touch(request: HttpRequest) -> None:
    kept = request.session[KEY]
    if _now_s() - kept["seen"] > SEEN_STEP_S:
        request.session[KEY] = {**kept, "seen": _now_s()}


def _now_s() -> float:
    # Real time, not trial time: idleness is a matter of the room, not of the study.
    return timezone.now().timestamp()
