"""The sleep-skills group: the list of lessons, their cards and exercises."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from studies.design.lessons import Exercise, Lesson
from studies.exceptions import LessonUnfinished
from studies.forms.skills import ExerciseForm
from studies.models.participant import Participant
from studies.services.cbt.lessons import (
    LessonRow,
    answer_exercise,
    answers_to,
    finish_lesson,
    lesson_for,
    lessons_for,
    open_lesson,
    read_card,
    recalled,
    unanswered,
)
from studies.services.cbt.messages import n_unread
from studies.services.cbt.sleep_window import (
    bed_at,
    exclusions_of,
    keep_window,
    waiting_window,
    window_in_force,
)
from studies.views.participant.diary import mornings_of
from studies.views.participant.skills_pages import skills_page
from studies.views.posting import posted


@require_safe
@skills_page
def listing(request: HttpRequest, participant: Participant) -> HttpResponse:
    keep_window(participant=participant)
    rows = lessons_for(participant)
    current = next((row for row in rows if row.is_open and not row.is_done), None)
    context = {
        "participant": participant,
        "rows": rows,
        "n_done": sum(row.is_done for row in rows),
        "current": current,
        "go_on": _resume_url(participant, current) if current else "",
        "coming": next((row for row in rows if row.is_next), None),
        "mornings": mornings_of(participant),
        "days_back": participant.study.plan.skills.diary_days_back,
        "n_unread": n_unread(participant),
        **window_words(participant),
    }
    return render(request, "studies/participant/lessons.html", context)


@skills_page
def card(request: HttpRequest, participant: Participant, key: str, number: int) -> HttpResponse:
    """Show one page of a lesson: its cards first, then its exercises; going back loses nothing."""
    lesson = lesson_for(participant, key)
    if number > len(lesson.cards):
        return _exercise(request, participant, lesson, number)
    read_card(participant=participant, lesson=key, card=number)
    shown = lesson.cards[number - 1]
    context = {
        "participant": participant,
        "lesson": lesson,
        "card": shown,
        "recalled": recalled(participant, shown),
        "number": number,
        "previous": _before(key, number),
        "following": _page_url(key, number + 1),
    }
    return render(request, "studies/participant/lesson_card.html", context)


@skills_page
def done(request: HttpRequest, participant: Participant, key: str) -> HttpResponse:
    """Finish a lesson whose pages were all met; otherwise go on with it."""
    lesson = lesson_for(participant, key)
    try:
        finish_lesson(participant=participant, lesson=key)
    except LessonUnfinished:
        row = next(row for row in lessons_for(participant) if row.announcement.key == key)
        return redirect(_resume_url(participant, row))
    context = {
        "participant": participant,
        "lesson": lesson,
        "coming": next((row for row in lessons_for(participant) if row.is_next), None),
    }
    return render(request, "studies/participant/lesson_done.html", context)


def window_words(participant: Participant) -> dict[str, object]:
    """Return what a page says of the sleep window: it holds, it waits, or there is none."""
    window = window_in_force(participant)
    return {
        "window": window,
        "bed_at": bed_at(window) if window else "",
        "waits": bool(waiting_window(participant)) and not exclusions_of(participant),
    }


def _exercise(
    request: HttpRequest, participant: Participant, lesson: Lesson, number: int
) -> HttpResponse:
    place = number - len(lesson.cards) - 1
    if place >= len(lesson.exercises):
        return redirect("studies:lesson_done", lesson.key)
    open_lesson(participant=participant, lesson=lesson.key)
    exercise = lesson.exercises[place]
    kept = answers_to(participant).get(exercise.key)
    form = ExerciseForm(posted(request), exercise=exercise, initial={"answer": kept})
    if form.is_valid():
        _keep(participant, lesson, exercise, form.answer)
        return redirect(_page_url(lesson.key, number + 1))
    context = {
        "participant": participant,
        "lesson": lesson,
        "exercise": exercise,
        "form": form,
        "number": number,
        "is_last": number == lesson.n_pages,
        "previous": _before(lesson.key, number),
    }
    return render(request, "studies/participant/lesson_exercise.html", context)


def _keep(participant: Participant, lesson: Lesson, exercise: Exercise, answer: object) -> None:
    answer_exercise(participant=participant, lesson=lesson.key, exercise=exercise.key, value=answer)


def _resume_url(participant: Participant, row: LessonRow) -> str:
    """Return where somebody stopped: a card, or the first exercise without an answer."""
    lesson = lesson_for(participant, row.announcement.key)
    if row.card < len(lesson.cards):
        return _page_url(lesson.key, max(1, row.card))
    missing = unanswered(participant, lesson)
    if not missing:
        return reverse("studies:lesson_done", args=[lesson.key])
    return _page_url(lesson.key, len(lesson.cards) + lesson.exercises.index(missing[0]) + 1)


def _page_url(key: str, number: int) -> str:
    return reverse("studies:lesson", args=[key, number])


def _before(key: str, number: int) -> str:
    return _page_url(key, number - 1) if number > 1 else reverse("studies:lessons")
