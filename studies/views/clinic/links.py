"""A private link is shown to staff once: it travels in a signed cookie and is kept nowhere."""

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

PRIVATE_LINK = "private-link"


def show_link_once(request: HttpRequest, token: str, page: str = "studies:private_link") -> None:
    """Show the link on the next page; a reload of that page shows it no more."""
    address = request.build_absolute_uri(reverse(page, args=[token]))
    messages.info(request, address, extra_tags=PRIVATE_LINK)
