"""The session of a participant, or a guardian: who, through which link, and when last seen.

Tonight's page stays open for thirty days, so that nobody types a PIN in bed. Everything that shows
or takes answers asks for the PIN again after ten idle minutes. The link's token lies in a cookie on
the participant's own device and is never kept by the server; a revoked link ends its sessions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode

from studies import clock
from studies.design.windows import is_night
from studies.models.access import Holder, PrivateLink
from studies.models.consent import ConsentRole
from studies.models.participant import TAKES_PART, Participant
from studies.models.study import StudyState
from studies.services.entry.majority import agreements_missing
from studies.views.posting import wants_data

IDLE_S = 10 * 60
KEPT_S = 30 * 24 * 3600
# A request within this time of the last one does not write the session again.
SEEN_STEP_S = 20

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Door:
    """How one kind of people comes in; behind it lie their own pages and no others.

    `key` is where the session keeps who came in, `cookie` where a device keeps the link's token,
    `pin` the page that asks for the PIN, `home` the first page behind it.
    """

    holder: str
    key: str
    cookie: str
    pin: str
    home: str


PARTICIPANTS = Door(
    Holder.PARTICIPANT, "participant", "private_link", "studies:pin", "studies:today"
)
GUARDIANS = Door(
    Holder.GUARDIAN, "guardian", "guardian_link", "studies:guardian_pin", "studies:guardian"
)


def begin(request: HttpRequest, *, link: PrivateLink, door: Door = PARTICIPANTS) -> None:
    """Sign the holder of `link` in; the session gets a new key, against fixation."""
    request.session.cycle_key()
    request.session[door.key] = {
        "participant": link.participant_id,
        "link": link.pk,
        "seen": _now_s(),
    }
    if not request.user.is_authenticated:
        request.session.set_expiry(KEPT_S)


def end(request: HttpRequest, door: Door = PARTICIPANTS) -> None:
    """Sign the holder out; a member of staff in the same browser stays signed in."""
    request.session.pop(door.key, None)


def remember_link(response: HttpResponse, token: str, door: Door = PARTICIPANTS) -> HttpResponse:
    """Leave the link's token on the device, for the PIN page alone."""
    response.set_cookie(
        door.cookie,
        token,
        max_age=KEPT_S,
        path=reverse(door.pin),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


def forget_link(response: HttpResponse, door: Door = PARTICIPANTS) -> HttpResponse:
    """Take the token away again: on this device the link has to be opened anew."""
    response.delete_cookie(door.cookie, path=reverse(door.pin), samesite="Lax")
    return response


def speak(request: HttpRequest, language: str) -> None:
    """Use the participant's language unless another one was chosen on this device."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


def signed_in(request: HttpRequest, door: Door = PARTICIPANTS) -> Participant | None:
    """Return for which participant somebody came in by this door, if their link still lives."""
    kept = request.session.get(door.key)
    if kept is None:
        return None
    return (
        Participant.objects.select_related("study")
        .filter(
            pk=kept["participant"],
            links__pk=kept["link"],
            links__holder=door.holder,
            links__revoked_at__isnull=True,
        )
        .first()
    )


def participant_page(view: View) -> View:
    """Give the view its participant as second argument; ask for the PIN after ten idle minutes.

    Who has to be asked for their consent again is led there first.
    """
    return _behind(PARTICIPANTS, view, asks_first=True)


def treatment_page(view: View) -> View:
    """Like `participant_page`, for a treatment: it goes on while a new text waits for an answer.

    In every arm alike; who answers late is asked fewer questions and treated no less.
    """
    return _behind(PARTICIPANTS, view, asks_first=False)


def consent_page(view: View) -> View:
    """Like `participant_page`, for the pages on which consent is given, copied or ended."""
    return _behind(PARTICIPANTS, view, asks_first=False)


def guardian_page(view: View) -> View:
    """Give the view the participant whose guardian looks at it; ask for the PIN as elsewhere."""
    return _behind(GUARDIANS, view, asks_first=False)


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


def dim(request: HttpRequest, participant: Participant) -> None:
    """Let the page be dark where it is night for whom it is."""
    request.is_night = is_night(clock.now(), participant.zone)


def _behind(door: Door, view: View, *, asks_first: bool) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        participant = signed_in(request, door)
        if participant is None or _is_idle(request, door):
            return _to(request, f"{reverse(door.pin)}?{urlencode({'next': request.path})}")
        _touch(request, door)
        if asks_first and (address := _asked_again(participant)):
            return _to(request, address)
        language = participant.language if door is PARTICIPANTS else participant.guardian.language
        return _run(view, request, participant, *args, language=language, **kwargs)

    return guarded


def _to(request: HttpRequest, address: str) -> HttpResponse:
    is_script = wants_data(request)
    return HttpResponse(status=HTTPStatus.UNAUTHORIZED) if is_script else redirect(address)


def _asked_again(participant: Participant) -> str:
    """Return where somebody who takes part has to go first; nothing while consent holds."""
    if participant.state not in TAKES_PART or participant.study.state != StudyState.OPEN:
        return ""
    missing = agreements_missing(participant)
    if not missing:
        return ""
    is_own = missing != [ConsentRole.PERMISSION]
    return reverse("studies:consent" if is_own else "studies:waiting")


def _run(
    view: View,
    request: HttpRequest,
    participant: Participant,
    *args: object,
    language: str = "",
    **kwargs: object,
) -> HttpResponse:
    speak(request, language or participant.language)
    dim(request, participant)
    with timezone.override(ZoneInfo(participant.zone)):
        return view(request, participant, *args, **kwargs)


def _is_idle(request: HttpRequest, door: Door) -> bool:
    return _now_s() - request.session[door.key]["seen"] > IDLE_S


def _touch(request: HttpRequest, door: Door) -> None:
    kept = request.session[door.key]
    if _now_s() - kept["seen"] > SEEN_STEP_S:
        request.session[door.key] = {**kept, "seen": _now_s()}


def _now_s() -> float:
    # Real time, not trial time: idleness is a matter of the room, not of the study.
    return timezone.now().timestamp()
