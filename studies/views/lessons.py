"""The sleep-skills group: lessons card by card, and the sleep diary of a morning."""

from collections.abc import Callable
from datetime import date
from functools import partial, wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from questionnaires.exceptions import IncompleteResponse, ResponseLocked
from studies.exceptions import DiaryNotOpen, LessonLocked, LessonUnfinished
from studies.forms.participant import ExerciseForm
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_kind_of
from studies.services.cbt import (
    diary_for,
    diary_mornings,
    finish_lesson,
    lesson_for,
    lessons_for,
    open_lesson,
    read_card,
    save_diary_answer,
    submit_diary,
)
from studies.services.playlists import is_in_treatment
from studies.views.answering import Sheet, check_page, item_page
from studies.views.participant_session import participant_page
from studies.views.posting import posted

View = Callable[..., HttpResponse]


def _skills_page(view: View) -> View:
    """Show the page to those who learn skills; what is locked or over leads back to the list."""

    @wraps(view)
    def guarded(request: HttpRequest, participant: Participant, **kwargs: object):
        if arm_kind_of(participant) != ArmKind.CBT:
            raise Http404
        if not is_in_treatment(participant):
            return redirect("studies:today")
        try:
            return view(request, participant, **kwargs)
        except (LessonLocked, DiaryNotOpen, ResponseLocked):
            return redirect("studies:lessons")

    return participant_page(guarded)


@require_safe
@_skills_page
def listing(request: HttpRequest, participant: Participant) -> HttpResponse:
    rows = lessons_for(participant)
    context = {
        "participant": participant,
        "rows": rows,
        "current": next((row for row in rows if row.is_open and not row.is_done), None),
        "mornings": _mornings(participant),
    }
    return render(request, "studies/participant/lessons.html", context)


@_skills_page
def card(request: HttpRequest, participant: Participant, key: str, number: int) -> HttpResponse:
    """Show one card; looking at it keeps how far somebody is, going back loses nothing."""
    lesson = lesson_for(participant, key)
    open_lesson(participant=participant, lesson=key)
    if number == len(lesson.cards) + 1:
        return _exercise(request, participant, key)
    read_card(participant=participant, lesson=key, card=number)
    context = {
        "participant": participant,
        "lesson": lesson,
        "card": lesson.cards[number - 1],
        "number": number,
        "previous": _card_url(key, number - 1) if number > 1 else reverse("studies:lessons"),
        "following": _card_url(key, number + 1),
    }
    return render(request, "studies/participant/lesson_card.html", context)


@_skills_page
def diary(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    if request.method == "POST" or _entry(participant, morning):
        return redirect(_sheet(participant, morning).next_url)
    if morning not in diary_mornings(participant):
        return redirect("studies:lessons")
    context = {"participant": participant, "morning": morning}
    return render(request, "studies/participant/diary_begin.html", context)


@_skills_page
def diary_item(
    request: HttpRequest, participant: Participant, morning: date, item: str
) -> HttpResponse:
    return item_page(request, participant, _sheet(participant, morning), item)


@_skills_page
def diary_check(request: HttpRequest, participant: Participant, morning: date) -> HttpResponse:
    sheet = _sheet(participant, morning)
    if request.method != "POST":
        return check_page(request, participant, sheet)
    try:
        submit_diary(entry=diary_for(participant=participant, morning_on=morning))
    except IncompleteResponse:
        return redirect(sheet.next_url)
    return render(request, "studies/participant/diary_thanks.html", {"participant": participant})


def _exercise(request: HttpRequest, participant: Participant, key: str) -> HttpResponse:
    lesson = lesson_for(participant, key)
    form = ExerciseForm(posted(request), exercise=lesson.exercise)
    if form.is_valid():
        try:
            answer = form.cleaned_data["answer"]
            finish_lesson(participant=participant, lesson=key, answer=answer)
        except LessonUnfinished:
            return redirect(_card_url(key, 1))
        context = {"participant": participant, "lesson": lesson}
        return render(request, "studies/participant/lesson_done.html", context)
    last = _card_url(key, len(lesson.cards))
    context = {"participant": participant, "lesson": lesson, "form": form, "previous": last}
    return render(request, "studies/participant/lesson_exercise.html", context)


def _card_url(key: str, number: int) -> str:
    return reverse("studies:lesson", args=[key, number])


def _mornings(participant: Participant) -> list[dict[str, object]]:
    entries = {entry.morning_on: entry for entry in _entries(participant)}
    return [
        {
            "morning": morning,
            "is_today": place == 0,
            "is_done": morning in entries and entries[morning].response.is_submitted,
            "is_begun": morning in entries,
        }
        for place, morning in enumerate(diary_mornings(participant))
    ]


def _entries(participant: Participant) -> list[DiaryEntry]:
    mornings = diary_mornings(participant)
    own = DiaryEntry.objects.select_related("response")
    return list(own.filter(participant=participant, morning_on__in=mornings))


def _entry(participant: Participant, morning: date) -> DiaryEntry | None:
    return next((e for e in _entries(participant) if e.morning_on == morning), None)


def _sheet(participant: Participant, morning: date) -> Sheet:
    entry = diary_for(participant=participant, morning_on=morning)
    return Sheet(
        response=entry.response,
        address=reverse("studies:diary", args=[morning]),
        save=partial(save_diary_answer, entry=entry),
        title=_("Sleep diary"),
    )
