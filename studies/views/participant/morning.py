"""The music group's diary of a morning: six taps, and the mornings that can still be filled in."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial, wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from questionnaires.exceptions import ResponseLocked
from questionnaires.forms import review_rows
from studies.exceptions import DiaryNotOpen, NotInTreatment
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import mornings_open
from studies.services.allocation import arm_kind_of
from studies.services.music.morning_diary import (
    decline_morning_answer,
    morning_entries,
    morning_for,
    save_morning_answer,
    submit_morning,
)
from studies.services.music.ratings import night_to_rate
from studies.views.participant.answering import Sheet, item_page
from studies.views.participant.session import participant_page
from studies.views.participant.tonight import rating_part

View = Callable[..., HttpResponse]


def _morning_page(view: View) -> View:
    """Show the page to those who have music; a morning that is too long ago leads to the list."""

    @wraps(view)
    def guarded(request: HttpRequest, participant: Participant, **kwargs: object) -> HttpResponse:
        if arm_kind_of(participant) != ArmKind.MUSIC:
            raise Http404
        try:
            return view(request, participant, **kwargs)
        except NotInTreatment:
            return redirect("studies:today")
        except (DiaryNotOpen, ResponseLocked):
            return redirect("studies:mornings")

    return participant_page(guarded)


@require_safe
@_morning_page
def listing(request: HttpRequest, participant: Participant) -> HttpResponse:
    """List the mornings that can be written now."""
    entries = morning_entries(participant)
    mornings = mornings_open(participant)
    context = {
        "participant": participant,
        "oldest": mornings[-1],
        "rows": [
            {"morning": morning, "is_done": _is_done(entries.get(morning))} for morning in mornings
        ],
    }
    return render(request, "studies/participant/mornings.html", context)


@require_safe
@_morning_page
def begin(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    return redirect(_sheet(participant, morning).next_url)


@_morning_page
def item(request: HttpRequest, participant: Participant, morning: date, item: str) -> HttpResponse:
    return item_page(request, participant, _sheet(participant, morning), item)


@require_safe
@_morning_page
def check(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    """Show what was kept of a morning; everything can be changed while it is open."""
    sheet = _sheet(participant, morning)
    if not sheet.response.is_submitted:
        return redirect(sheet.next_url)
    context = {
        "participant": participant,
        "morning": morning,
        "rows": review_rows(sheet.response, get_language()),
        "url_prefix": sheet.address,
        "language": get_language(),
        "has_earlier": has_open_mornings(participant),
        "rating": _rating_of(participant, morning),
    }
    return render(request, "studies/participant/morning_saved.html", context)


def _rating_of(participant: Participant, morning: date) -> dict[str, object] | None:
    """Return the rating of the night before this morning, if its music was heard."""
    night = night_to_rate(participant, before=morning)
    return rating_part(night) if night and night.night_on == morning - timedelta(days=1) else None


def has_open_mornings(participant: Participant) -> bool:
    """Return whether a morning before today can still be filled in."""
    entries = morning_entries(participant)
    return not all(_is_done(entries.get(day)) for day in mornings_open(participant)[1:])


def _is_done(entry: object) -> bool:
    return entry is not None and entry.response.is_submitted


def _sheet(participant: Participant, morning: date) -> Sheet:
    entry = morning_for(participant=participant, morning_on=morning)
    # What was handed in is changed as a revision, and a revision says something.
    may_decline = participant.study.plan.may_decline_in_diaries and not entry.response.is_submitted
    return Sheet(
        response=entry.response,
        address=reverse("studies:morning", args=[morning]),
        save=partial(save_morning_answer, entry=entry),
        title=_("This morning"),
        hand_in=partial(submit_morning, entry=entry),
        taps=True,
        decline=partial(decline_morning_answer, entry=entry) if may_decline else None,
    )
