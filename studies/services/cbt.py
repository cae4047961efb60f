"""The CBT arm: lessons in their order, and the sleep diary of each morning."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from questionnaires.models import Response
from questionnaires.selectors import score_table
from questionnaires.services import SavedAnswer, start_response, submit_response
from studies import clock
from studies.design.errors import LessonError
from studies.design.lessons import Announcement, Lesson, course, lesson_named
from studies.exceptions import (
    DiaryNotOpen,
    LessonLocked,
    LessonUnfinished,
    NoLessonsInThisArm,
    NotInTreatment,
)
from studies.models.cbt import DiaryEntry, LessonProgress
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.allocation import arm_kind_of
from studies.services.answers import keep_answer
from studies.services.audit import participant_actor, record
from studies.services.playlists import is_in_treatment

DIARY = "sleep_diary"
# A night is remembered for two days: this morning, yesterday's, and the one before.
DIARY_DAYS_BACK = 2


@dataclass(frozen=True, slots=True)
class LessonRow:
    """A lesson in a participant's list: what it is, whether it is open, how far they are."""

    announcement: Announcement
    is_open: bool
    is_done: bool
    card: int


def lessons_for(participant: Participant) -> list[LessonRow]:
    """Return the six lessons of the course: done, open, or locked for now."""
    begun = {row.lesson: row for row in LessonProgress.objects.filter(participant=participant)}
    rows, previous_done = [], True
    for announcement in course(participant.language):
        progress = begun.get(announcement.key)
        is_done = progress is not None and progress.finished_at is not None
        rows.append(
            LessonRow(
                announcement,
                is_open=announcement.is_written and previous_done,
                is_done=is_done,
                card=progress.card if progress else 0,
            )
        )
        previous_done = is_done
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
def finish_lesson(*, participant: Participant, lesson: str, answer: str) -> LessonProgress:
    """Finish a lesson whose cards were all read, with the answer of its exercise."""
    progress, content = _open(participant, lesson)
    if progress.finished_at is not None:
        return progress
    if progress.card < len(content.cards):
        raise LessonUnfinished(f"{len(content.cards) - progress.card} cards are still to come")
    if answer not in {choice.key for choice in content.exercise.choices}:
        raise LessonUnfinished("the exercise has no answer yet")
    progress.answer, progress.finished_at = answer, clock.now()
    progress.save(update_fields=["answer", "finished_at"])
    _record(progress, "finish_lesson", None, {"lesson": lesson, "answer": answer})
    return progress


def diary_mornings(participant: Participant) -> list[date]:
    """Return the mornings whose diary can be written now, today first."""
    today = clock.today(participant.zone)
    return [today - timedelta(days=back) for back in range(DIARY_DAYS_BACK + 1)]


@transaction.atomic
def diary_for(*, participant: Participant, morning_on: date) -> DiaryEntry:
    """Return the diary of a morning, begun if need be; one a morning."""
    participant = _in_lessons(participant)
    mornings = diary_mornings(participant)
    if morning_on not in mornings:
        raise DiaryNotOpen(mornings[-1], mornings[0], morning_on)
    entries = DiaryEntry.objects.select_related("response", "participant__study")
    entry = entries.filter(participant=participant, morning_on=morning_on).first()
    if entry is not None:
        return entry
    response = start_response(instrument=DIARY, language=participant.language, at=clock.now())
    entry = DiaryEntry.objects.create(
        participant=participant, morning_on=morning_on, response=response
    )
    _record(entry, "begin_diary", None, {"morning_on": morning_on})
    return entry


@transaction.atomic
def save_diary_answer(
    *, entry: DiaryEntry, item_key: str, raw: object, **manner: object
) -> SavedAnswer:
    """Keep one answer of a morning's diary; `manner` is what `keep_answer` takes."""
    return keep_answer(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        item_key=item_key,
        raw=raw,
        **manner,
    )


@transaction.atomic
def submit_diary(*, entry: DiaryEntry) -> DiaryEntry:
    """Hand in a morning's diary; twice is once."""
    response = Response.objects.select_for_update().get(pk=entry.response_id)
    if not response.is_submitted:
        entry.response = submit_response(response=response, at=clock.now())
        scores = score_table([response.pk])[response.pk]
        _record(entry, "submit_diary", None, {"morning_on": entry.morning_on, "scores": scores})
    return entry


def _open(participant: Participant, lesson: str) -> tuple[LessonProgress, Lesson]:
    participant = _in_lessons(participant)
    try:
        content = lesson_for(participant, lesson)
    except LessonError as error:
        raise LessonLocked(lesson) from error
    progress, is_new = LessonProgress.objects.get_or_create(
        participant=participant, lesson=lesson, defaults={"opened_at": clock.now()}
    )
    if is_new:
        _record(progress, "open_lesson", None, {"lesson": lesson})
    return progress, content


def _in_lessons(participant: Participant) -> Participant:
    participant = (
        Participant.objects.select_for_update(of=("self",))
        .select_related("study")
        .get(pk=participant.pk)
    )
    if not is_in_treatment(participant):
        raise NotInTreatment(participant.code, participant.state)
    if arm_kind_of(participant) != ArmKind.CBT:
        raise NoLessonsInThisArm
    return participant


def _record(
    subject: LessonProgress | DiaryEntry,
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
