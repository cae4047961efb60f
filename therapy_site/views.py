"""Pages of the shell: health, and the theme switch."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from therapy_site.health import health

THEMES = ("auto", "day", "night")
YEAR_S = 365 * 24 * 3600


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """Return 200 when web, database, broker and a worker are alive, else 503 and what is not."""
    parts = health()
    status = 200 if all(parts.values()) else 503
    return JsonResponse(
        {name: "ok" if alive else "down" for name, alive in parts.items()}, status=status
    )


@require_safe
def password_lost(request: HttpRequest) -> HttpResponse:
    """Tell who gives a new password."""
    return render(request, "account/password_lost.html")


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme chosen by hand on this device, and go back."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/"
    response = redirect(back)
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(
            "theme",
            theme,
            max_age=YEAR_S,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
