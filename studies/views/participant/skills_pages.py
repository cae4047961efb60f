"""Who sees the pages of the sleep-skills group."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from questionnaires.exceptions import ResponseLocked
from studies.exceptions import DiaryNotOpen, LessonLocked
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_kind_of
from studies.services.treatment import is_in_treatment
from studies.views.participant.session import participant_page, treatment_page

View = Callable[..., HttpResponse]


def skills_page(view: View) -> View:
    """Show the page to those who learn skills; what is locked or over leads back to the list."""
    return treatment_page(_for_learners(view))


def diary_page(view: View) -> View:
    """Like `skills_page`; whoever has to be asked for their consent again is led there first."""
    return participant_page(_for_learners(view))


def _for_learners(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, participant: Participant, **kwargs: object) -> HttpResponse:
        if arm_kind_of(participant) != ArmKind.CBT:
            raise Http404
        if not is_in_treatment(participant):
            return redirect("studies:today")
        try:
            return view(request, participant, **kwargs)
        except (LessonLocked, DiaryNotOpen, ResponseLocked):
            return redirect("studies:lessons")

    return guarded
