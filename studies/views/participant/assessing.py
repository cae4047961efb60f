"""A visit's questions: begin, answer one a page, check, send."""

from collections.abc import Callable
from functools import partial, wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from questionnaires.exceptions import IncompleteResponse, ResponseLocked
from questionnaires.selectors import wording_of
from studies.exceptions import AssessmentClosed, OutsideWindow
from studies.models.participant import Participant
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.schedule import TO_BEGIN, open_assessment
from studies.services.conduct.watching import look_at_answers
from studies.services.visits.assessment import (
    begin_assessment,
    decline_answer,
    may_decline,
    save_answer,
    submit_assessment,
)
from studies.views.participant.answering import Sheet, check_page, item_page
from studies.views.participant.session import participant_page
from studies.views.participant.today_page import instrument_minutes, instrument_name

View = Callable[..., HttpResponse]


def _assessment_page(view: View) -> View:
    """Give the view the participant's own assessment; what cannot be answered says so calmly."""

    @wraps(view)
    def guarded(request: HttpRequest, participant: Participant, pk: int, **kwargs: str):
        assessment = open_assessment(participant, pk)
        if assessment is None:
            raise Http404
        try:
            return view(request, participant, assessment, **kwargs)
        except (OutsideWindow, AssessmentClosed, ResponseLocked):
            return _closed(request, participant, assessment)

    return participant_page(guarded)


@_assessment_page
def begin(request: HttpRequest, participant: Participant, assessment: Assessment) -> HttpResponse:
    if assessment.state in TO_BEGIN and request.method != "POST":
        context = {
            "participant": participant,
            "name": instrument_name(assessment.instrument),
            "minutes": instrument_minutes(assessment.instrument),
            "wording": wording_of(assessment.instrument, get_language()),
        }
        return render(request, "studies/participant/assess_begin.html", context)
    return redirect(_sheet(assessment).next_url)


@_assessment_page
def item(
    request: HttpRequest, participant: Participant, assessment: Assessment, item: str
) -> HttpResponse:
    if assessment.state in TO_BEGIN:
        return redirect("studies:assess", assessment.pk)
    return item_page(request, participant, _sheet(assessment), item)


@_assessment_page
def check(request: HttpRequest, participant: Participant, assessment: Assessment) -> HttpResponse:
    """Show the answers; sending them twice, or from two tabs, is sending them once."""
    if assessment.state in TO_BEGIN:
        return redirect("studies:assess", assessment.pk)
    if request.method != "POST":
        return check_page(request, participant, _sheet(assessment))
    try:
        submit_assessment(assessment=assessment)
        look_at_answers(participant=participant)
    except IncompleteResponse:
        return redirect(_sheet(assessment).next_url)
    return redirect("studies:assess_thanks", assessment.pk)


@require_safe
@_assessment_page
def thanks(request: HttpRequest, participant: Participant, assessment: Assessment) -> HttpResponse:
    if assessment.state != AssessmentState.SUBMITTED:
        return redirect("studies:assess", assessment.pk)
    return render(request, "studies/participant/thanks.html", {"participant": participant})


def _sheet(assessment: Assessment) -> Sheet:
    """Return the answers so far; the first look begins the response."""
    declining = partial(decline_answer, assessment=assessment)
    return Sheet(
        response=begin_assessment(assessment=assessment),
        address=reverse("studies:assess", args=[assessment.pk]),
        save=partial(save_answer, assessment=assessment),
        title=instrument_name(assessment.instrument),
        decline=declining if may_decline(assessment) else None,
    )


def _closed(request: HttpRequest, participant: Participant, assessment: Assessment) -> HttpResponse:
    assessment.refresh_from_db()
    context = {"participant": participant, "assessment": assessment}
    return render(request, "studies/participant/assess_closed.html", context)
