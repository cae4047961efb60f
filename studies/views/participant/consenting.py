"""Consent: one idea a page, then a decision that is checked before it counts."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studies.forms.participant import TALK, YES, ConfirmedDecisionForm, DecisionForm
from studies.models.participant import Participant, ParticipantState
from studies.services.entry.consent import current_text, give_consent
from studies.views.participant.session import participant_page
from studies.views.posting import posted


@require_safe
@participant_page
def first(request: HttpRequest, participant: Participant) -> HttpResponse:
    return redirect("studies:consent_page", number=1)


@require_safe
@participant_page
def page(request: HttpRequest, participant: Participant, number: int) -> HttpResponse:
    text = current_text(participant)
    if not 1 <= number <= len(text.pages):
        raise Http404
    content = text.pages[number - 1]
    context = {
        "participant": participant,
        "text": text,
        "number": number,
        "total": len(text.pages),
        "title": content["title"],
        "paragraphs": content["body"].strip().splitlines(),
        **_neighbours(number, len(text.pages)),
    }
    return render(request, "studies/participant/consent_page.html", context)


@participant_page
def decide(request: HttpRequest, participant: Participant) -> HttpResponse:
    if participant.state != ParticipantState.INVITED:
        return redirect("studies:today")
    form = DecisionForm(posted(request))
    if form.is_valid():
        decision = form.cleaned_data["decision"]
        if decision == TALK:
            return redirect("studies:consent_talk")
        return redirect(f"{reverse('studies:consent_check')}?decision={decision}")
    last = reverse("studies:consent_page", args=[len(current_text(participant).pages)])
    context = {"participant": participant, "form": form, "previous": last}
    return render(request, "studies/participant/consent_decide.html", context)


@participant_page
def check(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Show the decision once more; only the second press counts, and pressing twice is calm."""
    if participant.state != ParticipantState.INVITED:
        return redirect("studies:today")
    form = ConfirmedDecisionForm(request.POST or request.GET)
    if not form.is_valid():
        return redirect("studies:consent_decide")
    decision = form.cleaned_data["decision"]
    if request.method == "POST":
        text = current_text(participant)
        give_consent(participant=participant, text=text, agreed=decision == YES)
        return redirect("studies:today")
    context = {"participant": participant, "decision": decision}
    return render(request, "studies/participant/consent_check.html", context)


@require_safe
@participant_page
def talk(request: HttpRequest, participant: Participant) -> HttpResponse:
    return render(request, "studies/participant/consent_talk.html", {"participant": participant})


def _neighbours(number: int, total: int) -> dict[str, str]:
    address = "studies:consent_page"
    is_last = number == total
    return {
        "previous": reverse(address, args=[number - 1]) if number > 1 else "",
        "following": reverse("studies:consent_decide")
        if is_last
        else reverse(address, args=[number + 1]),
    }
