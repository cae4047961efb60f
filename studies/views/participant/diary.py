"""The sleep-skills group: the diary of a morning, with the usual times to confirm."""

from datetime import date
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from questionnaires.exceptions import IncompleteResponse
from studies.exceptions import StillToCome
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.selectors.diary import mornings_open, usual_times
from studies.services.cbt.diary import (
    confirm_usual_times,
    decline_diary_answer,
    diary_for,
    save_diary_answer,
    still_to_come,
    submit_diary,
)
from studies.views.participant.answering import Sheet, check_page, item_page
from studies.views.participant.skills_pages import diary_page


@diary_page
def begin(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    if request.method == "POST" or _entry(participant, morning):
        return redirect(_sheet(participant, morning).next_url)
    if morning not in mornings_open(participant):
        return redirect("studies:lessons")
    usual = usual_times(participant, before=morning)
    context = {"participant": participant, "morning": morning, "usual": usual}
    return render(request, "studies/participant/diary_begin.html", context)


@require_POST
@diary_page
def usual(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    """Take the usual times over, because the participant says that last night was like that."""
    entry = diary_for(participant=participant, morning_on=morning)
    confirm_usual_times(entry=entry)
    return redirect(_sheet(participant, morning).next_url)


@diary_page
def item(request: HttpRequest, participant: Participant, morning: date, item: str) -> HttpResponse:
    if _is_sent(participant, morning):
        return redirect("studies:diary_thanks", morning)
    return item_page(request, participant, _sheet(participant, morning), item)


@diary_page
def check(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    if _is_sent(participant, morning):
        return redirect("studies:diary_thanks", morning)
    sheet = _sheet(participant, morning)
    entry = diary_for(participant=participant, morning_on=morning)
    if request.method != "POST":
        return check_page(request, participant, sheet, still_to_come=still_to_come(entry))
    try:
        submit_diary(entry=entry)
    except IncompleteResponse:
        return redirect(sheet.next_url)
    except StillToCome:
        return redirect(sheet.check_url)
    return redirect("studies:diary_thanks", morning)


@diary_page
def thanks(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    if not _is_sent(participant, morning):
        return redirect("studies:diary", morning)
    return render(request, "studies/participant/diary_thanks.html", {"participant": participant})


def mornings_of(participant: Participant) -> list[dict[str, object]]:
    """Return the mornings that can be written now, and how far each is."""
    entries = {entry.morning_on: entry for entry in _entries(participant)}
    return [
        {
            "morning": morning,
            "is_today": place == 0,
            "is_done": morning in entries and entries[morning].response.is_submitted,
            "is_begun": morning in entries,
        }
        for place, morning in enumerate(mornings_open(participant))
    ]


def _entries(participant: Participant) -> list[DiaryEntry]:
    mornings = mornings_open(participant)
    own = DiaryEntry.objects.select_related("response")
    return list(own.filter(participant=participant, morning_on__in=mornings))


def _entry(participant: Participant, morning: date) -> DiaryEntry | None:
    return next((e for e in _entries(participant) if e.morning_on == morning), None)


def _is_sent(participant: Participant, morning: date) -> bool:
    entry = _entry(participant, morning)
    return entry is not None and entry.response.is_submitted


def _sheet(participant: Participant, morning: date) -> Sheet:
    entry = diary_for(participant=participant, morning_on=morning)
    may_decline = participant.study.plan.may_decline_in_diaries
    return Sheet(
        response=entry.response,
        address=reverse("studies:diary", args=[morning]),
        save=partial(save_diary_answer, entry=entry),
        title=_("Sleep diary"),
        skips_answered=True,
        decline=partial(decline_diary_answer, entry=entry) if may_decline else None,
        suggested=usual_times(participant, before=morning),
    )
