"""A guardian's pages: what is asked, the text, the decision, and the way to take it back.

They show nothing of what the child answers, hears or learns.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studies.exceptions import ConsentNotUnderstood, ConsentOutdated, MoveRefused
from studies.forms.agreeing import PermissionForm
from studies.forms.participant import NO, TALK, YES
from studies.models.consent import Consent, ConsentRole, ConsentState
from studies.models.participant import TAKES_PART, Participant
from studies.models.study import StudyState
from studies.services.conduct.agreement import answer_consent, take_permission_back
from studies.services.entry.consent import ASKABLE, text_in
from studies.services.entry.copies import copies_of
from studies.services.entry.majority import agreements_missing
from studies.views.agreeing import Reader, copy_file, questions_page, text_page
from studies.views.participant.session import guardian_page
from studies.views.posting import posted

BASE = "studies/guardian/base.html"


@require_safe
@guardian_page
def home(request: HttpRequest, participant: Participant) -> HttpResponse:
    context = {
        "participant": participant,
        "is_asked": _is_asked(participant),
        "is_again": _reader(request, participant).is_again,
        "permission": _held(participant),
        "copies": copies_of(participant),
    }
    return render(request, "studies/guardian/home.html", context)


@require_safe
@guardian_page
def page(request: HttpRequest, participant: Participant, number: int) -> HttpResponse:
    return text_page(request, _reader(request, participant), number)


@guardian_page
def questions(request: HttpRequest, participant: Participant) -> HttpResponse:
    if not _is_asked(participant):
        return redirect("studies:guardian")
    return questions_page(request, _reader(request, participant))


@guardian_page
def decide(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Take the decision with a name; it counts after it was looked at once more."""
    if not _is_asked(participant):
        return redirect("studies:guardian")
    reader = _reader(request, participant)
    form = PermissionForm(posted(request))
    if form.is_valid():
        decision = form.cleaned_data["decision"]
        if decision == TALK:
            return redirect(reader.url("talk"))
        if decision == YES and not reader.has_understood:
            return redirect(reader.url("questions"))
        if "confirmed" in request.POST:
            return _answered(participant, reader, form)
    context = reader.context(form=form, previous=reader.url("page", len(reader.text.pages)))
    if form.is_valid():
        context["takes_part"] = participant.state in TAKES_PART
        return render(request, "studies/guardian/check.html", context | {"no": NO})
    return render(request, "studies/guardian/decide.html", context)


@require_safe
@guardian_page
def talk(request: HttpRequest, participant: Participant) -> HttpResponse:
    return render(request, "studies/guardian/talk.html", {"participant": participant})


@require_safe
@guardian_page
def copy(request: HttpRequest, participant: Participant, pk: int) -> HttpResponse:
    return copy_file(participant, pk)


@guardian_page
def take_back(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Ask once whether the permission ends, then end it; the link ends with it."""
    if _held(participant) is None:
        return redirect("studies:guardian")
    if request.method == "POST":
        try:
            take_permission_back(participant=participant)
        except MoveRefused:
            return redirect("studies:guardian")
        return render(request, "studies/guardian/ended.html")
    return render(request, "studies/guardian/take_back.html", {"participant": participant})


def _held(participant: Participant) -> Consent | None:
    if participant.state not in ASKABLE or participant.study.is_locked:
        return None
    held = participant.consents.filter(role=ConsentRole.PERMISSION, state=ConsentState.AGREED)
    return held.first()


def _is_asked(participant: Participant) -> bool:
    if participant.state not in ASKABLE or participant.study.state != StudyState.OPEN:
        return False
    return ConsentRole.PERMISSION in agreements_missing(participant)


def _reader(request: HttpRequest, participant: Participant) -> Reader:
    # The text follows the language of the pages: a guardian may read another one than the child.
    text = text_in(participant.study, request.LANGUAGE_CODE)
    text = text or text_in(participant.study, participant.guardian.language)
    return Reader(participant, ConsentRole.PERMISSION, text, "permission", BASE)


def _answered(participant: Participant, reader: Reader, form: PermissionForm) -> HttpResponse:
    try:
        answer_consent(
            participant=participant,
            text=reader.text,
            agreed=form.cleaned_data["decision"] == YES,
            role=reader.role,
            signed_as=form.cleaned_data["signed_as"].strip(),
        )
    except (ConsentNotUnderstood, ConsentOutdated):
        return redirect(reverse("studies:permission_page", args=[1]))
    except MoveRefused:
        return redirect("studies:guardian")
    return redirect("studies:guardian")
