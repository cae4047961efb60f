"""The lessons of the CBT arm: which is open, how far somebody is, what they answered."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from studies import clock
from studies.design.contact_time import continues, counted_s
from studies.design.errors import LessonError
from studies.design.lessons import (
    Announcement,
    Card,
    Exercise,
    ExerciseKind,
    Lesson,
    course,
    exercise_named,
    lesson_named,
)
from studies.design.opening import CLOSED, OPEN, Gate, gate
from studies.exceptions import (
    ExerciseRefused,
    LessonLocked,
    LessonUnfinished,
    NoLessonsInThisArm,
)
from studies.models.cbt import ExerciseAnswer, LessonProgress, LessonSitting
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import written_mornings
from studies.services.allocation import arm_kind_of
from studies.services.cbt.course import is_course_changed
from studies.services.cbt.messages import send_message
from studies.services.cbt.sleep_window import keep_window
from studies.services.cbt.words import seal_words, sha256_of, unseal_words
from studies.services.trail.audit import participant_actor, record
from studies.services.treatment import lock_treated

WORDS_AT_MOST = 1000
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
# A sitting only ever grows. Its audit entries mark its beginning and every five minutes more.
AUDIT_EVERY_S = 300.0


@dataclass(frozen=True, slots=True)
class LessonRow:
    """A lesson in a participant's list: whether it is open, what it waits for, how far they are."""

    announcement: Announcement
    gate: Gate
    progress: LessonProgress | None

    @property
    def is_open(self) -> bool:
        """Whether it can be read now; what was begun stays open."""
        return self.progress is not None or self.gate.is_open

    @property
    def is_done(self) -> bool:
        """Whether it was finished."""
        return self.progress is not None and self.progress.finished_at is not None

    @property
    def is_next(self) -> bool:
        """Whether it is the one that is waited for: locked, the one before it finished."""
        return not self.is_open and self.gate.opens_on is not None

    @property
    def card(self) -> int:
        """The last card that was read."""
        return self.progress.card if self.progress else 0


@dataclass(frozen=True, slots=True)
class Recalled:
    """An earlier answer as a later card shows it."""

    question: str
    words: str


def lessons_for(participant: Participant) -> list[LessonRow]:
    """Return the lessons of the course in order: done, open, or locked for now."""
    begun = {row.lesson: row for row in LessonProgress.objects.filter(participant=participant)}
    mornings = written_mornings(participant)
    today, plan = clock.today(participant.zone), participant.study.plan.skills
    is_changed = is_course_changed(participant.study)
    rows, before = [], OPEN
    for announcement in course(participant.language):
        progress = begun.get(announcement.key)
        rows.append(LessonRow(announcement, CLOSED if is_changed else before, progress))
        before = CLOSED
        if progress is not None and progress.finished_at is not None:
            following = course(participant.language)[announcement.number :][:1]
            before = gate(
                finished_on=_day(progress.finished_at, participant),
                diary_mornings=mornings,
                today=today,
                plan=plan,
                is_booster=any(one.is_booster for one in following),
            )
    return rows


def lesson_for(participant: Participant, lesson: str) -> Lesson:
    """Return an open lesson in the participant's language; raises LessonLocked."""
    is_open = any(row.is_open for row in lessons_for(participant) if row.announcement.key == lesson)
    if not is_open:
        raise LessonLocked(lesson)
    return lesson_named(lesson, participant.language)


@transaction.atomic
def open_lesson(*, participant: Participant, lesson: str) -> LessonProgress:
    """Begin a lesson, or go on with it."""
    return _open(participant, lesson)[0]


@transaction.atomic
def read_card(*, participant: Participant, lesson: str, card: int) -> LessonProgress:
    """Keep how far somebody read; cards count from 1, and going back loses nothing."""
    progress, content = _open(participant, lesson)
    if not 1 <= card <= len(content.cards):
        raise LessonLocked(f"{lesson} card {card}")
    if card > progress.card:
        old, progress.card = progress.card, card
        progress.save(update_fields=["card"])
        _record(progress, "read_card", {"card": old}, {"card": card})
    return progress


@transaction.atomic
def answer_exercise(
    *, participant: Participant, lesson: str, exercise: str, value: object
) -> ExerciseAnswer:
    """Keep an answer; a new one takes the old one's place. Words of one's own go under seal.

    An answer that asks for the therapist is sent to the therapist as a message.

    Raises ExerciseRefused for an answer that does not fit, LessonLocked for no such exercise.
    """
    progress, content = _open(participant, lesson)
    asked = _asked(content, exercise)
    value = _fitting(asked, value)
    found = ExerciseAnswer.objects.filter(participant=participant, exercise=exercise).first()
    answer = found or ExerciseAnswer(participant=progress.participant, exercise=exercise)
    if found is not None and _value_of(answer) == value:
        return answer
    old = _told(found) if found else None
    is_words = asked.kind is ExerciseKind.TEXT
    answer.value = None if is_words else value
    answer.sealed = seal_words(value) if is_words and value else None
    answer.answered_at = clock.now()
    answer.save()
    _record(answer, "answer_exercise", old, _told(answer))
    if told := next(
        (choice for choice in asked.choices if choice.tells and choice.key == value), None
    ):
        send_message(participant=progress.participant, text=f"{asked.question} {told.label}")
    return answer


@transaction.atomic
def finish_lesson(*, participant: Participant, lesson: str) -> LessonProgress:
    """Finish a lesson whose cards were all read and whose exercises were all met."""
    progress, content = _open(participant, lesson)
    if progress.finished_at is not None:
        return progress
    if progress.card < len(content.cards):
        raise LessonUnfinished(f"{len(content.cards) - progress.card} cards are still to come")
    if missing := unanswered(progress.participant, content):
        raise LessonUnfinished(f"{missing[0].key} has no answer yet")
    progress.finished_at = clock.now()
    progress.save(update_fields=["finished_at"])
    _record(progress, "finish_lesson", None, {"lesson": lesson, "version": progress.version})
    keep_window(participant=progress.participant)
    return progress


def unanswered(participant: Participant, lesson: Lesson) -> list[Exercise]:
    """Return the exercises of a lesson that somebody did not come to yet."""
    have = set(_answers(participant).values_list("exercise", flat=True))
    return [exercise for exercise in lesson.exercises if exercise.key not in have]


def answers_to(participant: Participant) -> dict[str, object]:
    """Return a participant's own answers by the exercise's key; words unsealed."""
    return {answer.exercise: _value_of(answer) for answer in _answers(participant)}


def recalled(participant: Participant, card: Card) -> list[Recalled]:
    """Return the earlier answers that a card shows; those that were left empty are not there."""
    answers = answers_to(participant) if card.recall else {}
    return [
        Recalled(exercise.question, exercise.words(answers[key]))
        for key in card.recall
        if answers.get(key) and (exercise := exercise_named(key, participant.language))
    ]


def contact_minutes(participant: Participant) -> float:
    """Return how long somebody sat with the lessons, in minutes; a lower bound."""
    sittings = LessonSitting.objects.filter(participant=participant)
    return sum(sittings.values_list("counted_s", flat=True)) / 60


def in_lessons(participant: Participant) -> Participant:
    """Return the participant, locked; raises NotInTreatment or NoLessonsInThisArm."""
    participant = lock_treated(participant)
    if arm_kind_of(participant) != ArmKind.CBT:
        raise NoLessonsInThisArm
    return participant


def _open(participant: Participant, lesson: str) -> tuple[LessonProgress, Lesson]:
    participant = in_lessons(participant)
    try:
        content = lesson_for(participant, lesson)
    except LessonError as error:
        raise LessonLocked(lesson) from error
    progress, is_new = LessonProgress.objects.get_or_create(
        participant=participant,
        lesson=lesson,
        defaults={"opened_at": clock.now(), "version": content.version},
    )
    if is_new:
        _record(progress, "open_lesson", None, {"lesson": lesson, "version": content.version})
    _sit(participant, lesson)
    return progress, content


def _sit(participant: Participant, lesson: str) -> None:
    """Count the page that was open until now, and note that another one is."""
    now = clock.now()
    sitting = LessonSitting.objects.filter(participant=participant, lesson=lesson).last()
    if sitting is None or not continues(sitting.last_at, now):
        sitting = LessonSitting.objects.create(
            participant=participant, lesson=lesson, began_at=now, last_at=now
        )
        _record(sitting, "sit_with_lesson", None, {"lesson": lesson})
        return
    before = sitting.counted_s
    sitting.counted_s = before + counted_s(sitting.last_at, now)
    sitting.last_at = now
    sitting.save(update_fields=["counted_s", "last_at"])
    if sitting.counted_s // AUDIT_EVERY_S > before // AUDIT_EVERY_S:
        _record(sitting, "sit_with_lesson", {"s": before}, {"s": sitting.counted_s})


def _asked(lesson: Lesson, exercise: str) -> Exercise:
    try:
        return lesson.exercise(exercise)
    except LessonError as error:
        raise LessonLocked(f"{lesson.key} {exercise}") from error


def _fitting(exercise: Exercise, value: object) -> object:
    """Return an answer as it is kept; an error never tells what somebody wrote."""
    if not FITS[exercise.kind](exercise, value):
        raise ExerciseRefused(exercise.key, exercise.kind)
    if exercise.kind is ExerciseKind.SEVERAL:
        return [choice.key for choice in exercise.choices if choice.key in value]
    return value.strip()


def _is_choice(exercise: Exercise, value: object) -> bool:
    return isinstance(value, str) and value in {choice.key for choice in exercise.choices}


def _are_choices(exercise: Exercise, value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_choice(exercise, v) for v in value)


def _is_words(_exercise: Exercise, value: object) -> bool:
    return isinstance(value, str) and len(value) <= WORDS_AT_MOST


def _is_time(_exercise: Exercise, value: object) -> bool:
    return isinstance(value, str) and TIME.fullmatch(value) is not None


FITS: dict[ExerciseKind, Callable[[Exercise, object], bool]] = {
    ExerciseKind.CHOICE: _is_choice,
    ExerciseKind.SEVERAL: _are_choices,
    ExerciseKind.TIME: _is_time,
    ExerciseKind.TEXT: _is_words,
}


def _answers(participant: Participant) -> QuerySet[ExerciseAnswer]:
    return ExerciseAnswer.objects.filter(participant=participant)


def _value_of(answer: ExerciseAnswer) -> object:
    return unseal_words(answer.sealed) if answer.value is None else answer.value


def _told(answer: ExerciseAnswer) -> dict[str, object]:
    if answer.value is None:
        return {"exercise": answer.exercise, "sha256": sha256_of(unseal_words(answer.sealed))}
    return {"exercise": answer.exercise, "value": answer.value}


def _day(moment: datetime, participant: Participant) -> date:
    return moment.astimezone(ZoneInfo(participant.zone)).date()


def _record(
    subject: LessonProgress | ExerciseAnswer | LessonSitting,
    action: str,
    old: dict[str, object] | None,
    new: dict[str, object],
) -> None:
    record(
        actor=participant_actor(subject.participant),
        action=action,
        subject=subject,
        old=old,
        new=new,
    )
