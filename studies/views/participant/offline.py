"""What a phone keeps for the time without a connection: a page, some files, empty questions.

Nothing of a person is among it: offline page and empty questions are the same for everybody.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template, render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from questionnaires.forms import ItemForm
from questionnaires.forms.item import MISSING
from questionnaires.instruments.errors import UnknownInstrument
from questionnaires.selectors import definition_named
from studies.models.participant import Participant
from studies.views.participant.session import participant_page

WORKER = "studies/offline/worker.js"
PAGE = "studies/offline/page.html"
SHELL = (
    "therapy_site/tokens.css",
    "therapy_site/site.css",
    "therapy_site/moon.svg",
    "questionnaires/form.css",
    "studies/keeping.js",
    "studies/answering.js",
    "studies/reconnecting.js",
)
REVALIDATE = "no-cache"
BLANK_KEPT = "private, max-age=600"


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker; its text changes with every file that it keeps."""
    context = {"version": shell_version(), "shell": json.dumps([static(name) for name in SHELL])}
    response = render(request, WORKER, context, content_type="text/javascript")
    response["Cache-Control"] = REVALIDATE
    return response


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Return what is shown without a connection: in both languages, and always dark."""
    # In one language and for nobody, whatever cookies came along: the page is kept as it is.
    with translation.override("en"):
        response = HttpResponse(render_to_string(PAGE))
    response["Cache-Control"] = REVALIDATE
    return response


@require_safe
@participant_page
def blank(request: HttpRequest, _participant: Participant, instrument: str) -> HttpResponse:
    """Return the empty questions of an instrument, to go on with while the connection is lost."""
    try:
        definition = definition_named(instrument)
    except UnknownInstrument as error:
        raise Http404 from error
    forms = [ItemForm(definition, item, get_language()) for item in definition.items]
    context = {"questions": [{"form": form, "missing": MISSING[form.item.kind]} for form in forms]}
    response = render(request, "studies/offline/blank.html", context)
    response["Cache-Control"] = BLANK_KEPT
    return response


@cache
def shell_version() -> str:
    """Return a hash of everything that the service worker keeps, and of the worker itself."""
    digest = hashlib.sha256(Path(get_template(WORKER).origin.name).read_bytes())
    for name in SHELL:
        digest.update(Path(finders.find(name)).read_bytes())
    with translation.override("en"):
        digest.update(render_to_string(PAGE).encode())
    return digest.hexdigest()[:16]
