"""What a form is bound to."""

from django.http import HttpRequest, QueryDict


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what was sent, also when every field was left empty; None for a first look."""
    return request.POST if request.method == "POST" else None


def wants_data(request: HttpRequest) -> bool:
    """Return whether a script asks, which reads data and statuses instead of pages."""
    return request.headers.get("Accept") == "application/json"
