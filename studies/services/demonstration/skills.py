"""Carry synthetic people through the lessons and the sleep window, by the services.

One takes the whole course, the others stop after a week, as people do. Their words are invented.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path

from studies.design import lessons
from studies.design.lessons import Exercise, ExerciseKind, lesson_named
from studies.design.synthetic import Person
from studies.models.participant import Participant
from studies.models.study import Role
from studies.models.user import User
from studies.services.cbt.lessons import (
    answer_exercise,
    finish_lesson,
    lessons_for,
    read_card,
    unanswered,
)
from studies.services.cbt.messages import send_message
from studies.services.cbt.sleep_window import confirm_window, screen_for_window, waiting_window
from studies.services.demonstration.mornings import WEEKS_AT_MOST, Step, is_diligent, local

WORDS = Path(lessons.__file__).parent / "wording" / "invented_words.toml"
LESSON_EVENING, THERAPIST_DAYS = 1, (3, 5)
# Long enough for the longest lesson: a page every half minute or so, and the end.
PAGES, PAGE_S = 14, 35
TIMES = {"wake_time": "06:45", "wind_down_time": "22:00", "worry_time": "18:30"}


def skills_steps(participant: Participant, person: Person, first: date) -> Iterator[Step]:
    """Yield one person's lessons, and the therapist's looks, with their moments."""
    goes_on = is_diligent(participant)
    for day in range(1, 7 * (WEEKS_AT_MOST if goes_on else 1) + 1):
        day_on = first + timedelta(days=day)
        if day % 7 == LESSON_EVENING:
            evening = local(day_on, time(19), participant)
            for page in range(PAGES):
                moment = evening + page * timedelta(seconds=PAGE_S)
                yield moment, lambda: _turn_page(participant, person)
        if day % 7 in THERAPIST_DAYS:
            yield local(day_on, time(10), participant), lambda: _confirm(participant)
    if goes_on:
        asked_on = first + timedelta(days=12)
        yield local(asked_on, time(20), participant), lambda: _say(participant, "question")
        replied_on = asked_on + timedelta(days=1)
        yield local(replied_on, time(10), participant), lambda: _reply(participant)


def _turn_page(participant: Participant, person: Person) -> None:
    """Read the next card of the open lesson, or answer its next exercise, or finish it."""
    rows = lessons_for(participant)
    current = next((row for row in rows if row.is_open and not row.is_done), None)
    if current is None:
        return
    lesson = lesson_named(current.announcement.key, participant.language)
    if current.card < len(lesson.cards):
        read_card(participant=participant, lesson=lesson.key, card=current.card + 1)
    elif missing := unanswered(participant, lesson):
        answer_exercise(
            participant=participant,
            lesson=lesson.key,
            exercise=missing[0].key,
            value=_value(missing[0], participant, person),
        )
    else:
        finish_lesson(participant=participant, lesson=lesson.key)


def _value(exercise: Exercise, participant: Participant, person: Person) -> object:
    if exercise.kind is ExerciseKind.TIME:
        return TIMES[exercise.key]
    if exercise.kind is ExerciseKind.TEXT:
        return _words()[participant.language][exercise.key]
    chosen = exercise.choices[int(person.random.integers(len(exercise.choices)))].key
    return chosen if exercise.kind is ExerciseKind.CHOICE else [chosen]


def _confirm(participant: Participant) -> None:
    """Let the study's therapist, if it has one, confirm the window that waits."""
    waiting, therapist = waiting_window(participant), _therapist(participant)
    if waiting is None or therapist is None:
        return
    if waiting.week == 0:
        screen_for_window(participant=participant, exclusions=(), user=therapist)
    confirm_window(
        window=waiting,
        user=therapist,
        window_min=waiting.proposed_min,
        rise_at=waiting.rise_at,
    )


def _reply(participant: Participant) -> None:
    if therapist := _therapist(participant):
        _say(participant, "reply", therapist)


def _say(participant: Participant, what: str, user: User | None = None) -> None:
    send_message(participant=participant, text=_words()[participant.language][what], user=user)


def _therapist(participant: Participant) -> User | None:
    member = participant.study.memberships.live().filter(role=Role.THERAPIST).first()
    return member.user if member else None


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
