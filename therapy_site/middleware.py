"""Rules that hold for every request."""

import time
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import add_never_cache_headers

Handler = Callable[[HttpRequest], HttpResponse]

# Where a signed-in member of staff may go before the second factor is set up.
OPEN_PREFIXES = ("/accounts/", "/static/", "/healthz", "/language/", "/theme/")
SIGNED_IN_AT, SEEN_AT = "staff_signed_in_at", "staff_seen_at"
# How exactly the last sign of life is kept: one write a minute, not one a request.
SEEN_STEP_S = 60


def sign_out_idle_staff(get_response: Handler) -> Handler:
    """End a member of staff's session after too long a silence, and at the end of the day.

    This is technical time, not the trial's: moving the trial's clock signs nobody out.
    """

    def handle(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = time.time()
            if _has_expired(request, now):
                logout(request)
                return redirect_to_login(request.get_full_path())
            if now - request.session.get(SEEN_AT, 0) > SEEN_STEP_S:
                request.session.setdefault(SIGNED_IN_AT, now)
                request.session[SEEN_AT] = now
        return get_response(request)

    return handle


def require_second_factor(get_response: Handler) -> Handler:
    """Send staff who have no second factor yet to the page where they set one up."""

    def handle(request: HttpRequest) -> HttpResponse:
        user = request.user
        open_page = request.path.startswith(OPEN_PREFIXES)
        if user.is_authenticated and not open_page and not is_mfa_enabled(user):
            return redirect("mfa_activate_totp")
        return get_response(request)

    return handle


def never_store_private_pages(get_response: Handler) -> Handler:
    """Keep pages out of browser and proxy caches, unless the view said otherwise."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return handle


def _has_expired(request: HttpRequest, now: float) -> bool:
    seen_at = request.session.get(SEEN_AT, now)
    signed_in_at = request.session.get(SIGNED_IN_AT, now)
    return (
        now - seen_at > settings.NOCTURNE_STAFF_IDLE_S
        or now - signed_in_at > settings.NOCTURNE_STAFF_SESSION_S
    )
