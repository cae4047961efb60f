"""What a protocol asks before consent, answered by the participant."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies.exceptions import ScreeningRefused
from studies.forms.screening import ScreeningForm
from studies.models.participant import Participant
from studies.services.entry.screening import answer_screening, screening_waits
from studies.services.trail.audit import participant_actor
from studies.views.participant.session import consent_page
from studies.views.posting import posted


@consent_page
def page(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Take the answers once; the page of the day says what comes of them."""
    if not screening_waits(participant):
        return redirect("studies:today")
    plan = participant.study.plan.screening
    form = ScreeningForm(posted(request), plan=plan, language=request.LANGUAGE_CODE)
    if form.is_valid():
        # Sent twice: the first ones count.
        with suppress(ScreeningRefused):
            answer_screening(
                participant=participant,
                answers=form.answers,
                cpss=form.cpss,
                answered_by="participant",
                actor=participant_actor(participant),
            )
        return redirect("studies:today")
    context = {"participant": participant, "form": form}
    return render(request, "studies/participant/screening.html", context)
