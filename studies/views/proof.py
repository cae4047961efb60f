"""How often somebody may try to prove who they are."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse


def too_many_tries(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of somebody who tries passwords or codes; None while they may try."""
    return ratelimit.consume_or_429(request, action="reauthenticate", user=request.user)
