"""What every page may know."""

from django.conf import settings
from django.http import HttpRequest

from therapy_site import demonstration


def site(request: HttpRequest) -> dict[str, object]:
    """Return the mode of the installation and the theme that was chosen by hand, if any."""
    is_demonstration = settings.NOCTURNE_MODE == "demo"
    return {
        "nocturne_mode": settings.NOCTURNE_MODE,
        "help_line": settings.NOCTURNE_HELP_LINE,
        "chosen_theme": request.COOKIES.get("theme", "auto"),
        "demo_totp_code": demonstration.code_for(request) if is_demonstration else "",
    }
