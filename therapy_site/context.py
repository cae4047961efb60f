"""What every page may know."""

from django.conf import settings
from django.http import HttpRequest

from therapy_site import demonstration

AUTOMATIC = "auto"


def site(request: HttpRequest) -> dict[str, object]:
    """Return the mode of the installation, the theme chosen by hand if any, and the one to show.

    Where nothing was chosen, the device decides; at night in a participant's zone it is night.
    """
    is_demonstration = settings.NOCTURNE_MODE == "demo"
    chosen = request.COOKIES.get("theme", AUTOMATIC)
    is_night = chosen == AUTOMATIC and getattr(request, "is_night", False)
    return {
        "nocturne_mode": settings.NOCTURNE_MODE,
        "help_line": settings.NOCTURNE_HELP_LINE,
        "chosen_theme": chosen,
        "shown_theme": "night" if is_night else chosen,
        "demo_totp_code": demonstration.code_for(request) if is_demonstration else "",
    }
