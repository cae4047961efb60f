"""Consent: one idea a page, questions on it, then a decision that is checked before it counts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studies.exceptions import ConsentNotUnderstood, ConsentOutdated
from studies.forms.participant import TALK, YES, ConfirmedDecisionForm, DecisionForm
from studies.models.consent import ConsentRole
from studies.models.participant import TAKES_PART, Participant
from studies.models.study import StudyState
from studies.services.conduct.agreement import answer_consent
from studies.services.entry.consent import ASKABLE, current_text
from studies.services.entry.copies import copies_of
from studies.services.entry.majority import agreements_missing, own_role
from studies.services.entry.screening import screening_waits
from studies.services.treatment import treatment_of
from studies.views.agreeing import Reader, copy_file, questions_page, text_page
from studies.views.participant.session import consent_page
from studies.views.posting import posted


@require_safe
@consent_page
def first(request: HttpRequest, participant: Participant) -> HttpResponse:
    return redirect("studies:consent_page", number=1)


@require_safe
@consent_page
def page(request: HttpRequest, participant: Participant, number: int) -> HttpResponse:
    reader = _reader(participant)
    opening = {"is_again": reader.is_again, "treatment": treatment_of(participant)}
    return text_page(request, reader, number, opening)


@consent_page
def questions(request: HttpRequest, participant: Participant) -> HttpResponse:
    if not is_asked(participant):
        return redirect("studies:today")
    return questions_page(request, _reader(participant))


@consent_page
def decide(request: HttpRequest, participant: Participant) -> HttpResponse:
    if not is_asked(participant):
        return redirect("studies:today")
    form = DecisionForm(posted(request))
    if form.is_valid():
        return redirect(_after(form.cleaned_data["decision"], _reader(participant)))
    last = reverse("studies:consent_page", args=[len(current_text(participant).pages)])
    context = {"participant": participant, "form": form, "previous": last}
    return render(request, "studies/participant/consent_decide.html", context)


@consent_page
def check(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Show the decision once more; only the second press counts, and pressing twice is calm."""
    if not is_asked(participant):
        return redirect("studies:today")
    form = ConfirmedDecisionForm(request.POST or request.GET)
    if not form.is_valid():
        return redirect("studies:consent_decide")
    decision = form.cleaned_data["decision"]
    if request.method == "POST":
        return _answered(request, participant, agreed=decision == YES)
    context = {
        "participant": participant,
        "decision": decision,
        "takes_part": participant.state in TAKES_PART,
    }
    return render(request, "studies/participant/consent_check.html", context)


@require_safe
@consent_page
def talk(request: HttpRequest, participant: Participant) -> HttpResponse:
    return render(request, "studies/participant/consent_talk.html", {"participant": participant})


@require_safe
@consent_page
def waiting(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Say that a parent or guardian has to answer too."""
    is_open = participant.study.state == StudyState.OPEN
    if not is_open or participant.state not in ASKABLE or not agreements_missing(participant):
        return redirect("studies:today")
    context = {
        "participant": participant,
        "copies": copies_of(participant),
        "treatment": treatment_of(participant),
    }
    return render(request, "studies/participant/waiting.html", context)


@require_safe
@consent_page
def copies(request: HttpRequest, participant: Participant) -> HttpResponse:
    context = {"participant": participant, "copies": copies_of(participant)}
    return render(request, "studies/participant/copies.html", context)


@require_safe
@consent_page
def copy(request: HttpRequest, participant: Participant, pk: int) -> HttpResponse:
    return copy_file(participant, pk)


def is_asked(participant: Participant) -> bool:
    """Return whether the participant's own answer is wanted now."""
    if participant.study.state != StudyState.OPEN or screening_waits(participant):
        return False
    missing = agreements_missing(participant) if participant.state in ASKABLE else []
    return any(role != ConsentRole.PERMISSION for role in missing)


def _reader(participant: Participant) -> Reader:
    return Reader(
        participant,
        own_role(participant),
        current_text(participant),
        "consent",
        "base_participant.html",
    )


def _after(decision: str, reader: Reader) -> str:
    if decision == TALK:
        return reader.url("talk")
    if decision == YES and not reader.has_understood:
        return reader.url("questions")
    return f"{reader.url('check')}?decision={decision}"


def _answered(request: HttpRequest, participant: Participant, *, agreed: bool) -> HttpResponse:
    reader = _reader(participant)
    try:
        answer_consent(participant=participant, text=reader.text, agreed=agreed, role=reader.role)
    except ConsentNotUnderstood:
        return redirect("studies:consent_questions")
    except ConsentOutdated:
        return redirect("studies:consent")
    if not agreed and participant.state in TAKES_PART:
        return render(request, "studies/participant/consent_ended.html")
    return redirect("studies:today")
