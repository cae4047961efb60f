"""Rules that hold for every request."""

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import add_never_cache_headers

Handler = Callable[[HttpRequest], HttpResponse]

# Where a signed-in member of staff may go before the second factor is set up.
OPEN_PREFIXES = ("/accounts/", "/static/", "/healthz", "/i18n/", "/theme/")


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
