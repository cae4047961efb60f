"""WSGI entry point."""

import os
from collections.abc import Callable, Iterable

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "therapy_site.settings")
_site = get_wsgi_application()


def application(environ: dict[str, object], start_response: Callable) -> Iterable[bytes]:
    """Answer a request; HEAD gets the headers of GET and nothing after them (RFC 9110, 9.3.2).

    Neither Django nor waitress takes the body away. On a connection that stays open it would be
    read as the beginning of the next answer, and after HEAD for a night's music it is 40 MB long.
    """
    body = _site(environ, start_response)
    if environ["REQUEST_METHOD"] != "HEAD":
        return body
    if hasattr(body, "close"):
        body.close()
    return []
