"""Languages as they are typed on the command line."""

from django.conf import settings
from django.core.management.base import CommandError


def site_language(text: str) -> str:
    """Return the tag as the site writes it; ``zh_Hans`` is ``zh-hans``."""
    language = text.replace("_", "-").lower()
    known = [code for code, _name in settings.LANGUAGES]
    if language not in known:
        raise CommandError(f"expected a language of the site ({', '.join(known)}), got {text!r}.")
    return language
