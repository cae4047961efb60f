"""What every page may know."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the mode of the installation and the theme that was chosen by hand, if any."""
    return {
        "nocturne_mode": settings.NOCTURNE_MODE,
        "help_line": settings.NOCTURNE_HELP_LINE,
        "chosen_theme": request.COOKIES.get("theme", "auto"),
    }
