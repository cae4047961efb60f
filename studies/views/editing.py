"""Pages that change a study's data: closed with its database, and they say so."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from studies.models.study import Study

View = Callable[..., HttpResponse]


def edits_data(view: View) -> View:
    """Run a view of a study for as long as its data may change; afterwards tell why it is not."""

    @wraps(view)
    def guarded(
        request: HttpRequest, study: Study, *args: object, **kwargs: object
    ) -> HttpResponse:
        if study.is_locked:
            return locked(request, study)
        return view(request, study, *args, **kwargs)

    return guarded


def locked(request: HttpRequest, study: Study) -> HttpResponse:
    """Return the page that says why nothing can be changed."""
    context = {"study": study}
    return render(request, "studies/closing/locked.html", context, status=HTTPStatus.CONFLICT)
