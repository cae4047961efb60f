"""What a therapist sees: the people who have lessons, and how each is coming along."""

from collections.abc import Iterable
from dataclasses import dataclass

from studies import clock
from studies.design.lessons import Exercise, Lesson, lesson_named
from studies.models.participant import Participant
from studies.models.study import Study
from studies.selectors.diary import diary_of, written_mornings
from studies.services.allocation import skills_participants
from studies.services.cbt.lessons import LessonRow, answers_to, contact_minutes, lessons_for
from studies.services.cbt.messages import n_unread
from studies.services.cbt.sleep_window import (
    exclusions_of,
    keep_window,
    waiting_window,
)
from studies.services.treatment import is_in_treatment

LAST_DAYS = 7
PEOPLE_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Case:
    """One person of a caseload."""

    participant: Participant
    is_in_treatment: bool
    n_lessons: int
    n_nights_lately: int
    window_waits: bool
    is_excluded: bool
    n_unread: int

    @property
    def urgency(self) -> tuple[bool, bool, str]:
        """The order of the caseload: who wrote, whose window waits, then by code."""
        return not self.n_unread, not self.window_waits, self.participant.code


@dataclass(frozen=True, slots=True)
class Answered:
    """One exercise and what was answered to it."""

    exercise: Exercise
    words: str


@dataclass(frozen=True, slots=True)
class ModuleReport:
    """One lesson of one person: how far, which version, and the answers."""

    row: LessonRow
    lesson: Lesson
    answers: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Adherence:
    """How much of the treatment one person took."""

    code: str
    n_lessons: int
    n_nights: int
    contact_minutes: float
    n_sittings: int
    n_sent: int
    n_received: int


def caseload(participants: list[Participant]) -> list[Case]:
    """Return these people, whoever needs somebody first."""
    return sorted((_case(person) for person in participants), key=lambda case: case.urgency)


def module_reports(participant: Participant, language: str) -> list[ModuleReport]:
    """Return the lessons that somebody began, with their answers in the reader's language."""
    kept = answers_to(participant)
    begun = [row for row in lessons_for(participant) if row.progress is not None]
    contents = [(row, lesson_named(row.announcement.key, language)) for row in begun]
    return [ModuleReport(row, lesson, _answered(lesson, kept)) for row, lesson in contents]


def adherence_of(study: Study, codes: Iterable[str]) -> list[Adherence]:
    """Return how much of the treatment each of these people took, of those who have lessons."""
    people = skills_participants().filter(study=study, code__in=codes).order_by("code")
    return [
        Adherence(
            code=person.code,
            n_lessons=person.lessons.exclude(finished_at=None).count(),
            n_nights=len(written_mornings(person)),
            contact_minutes=contact_minutes(person),
            n_sittings=person.sittings.count(),
            n_sent=person.messages.filter(author=None).count(),
            n_received=person.messages.exclude(author=None).count(),
        )
        # Each brings a study of its own along, protocol and all: not all of them at once.
        for person in people.select_related("study").iterator(chunk_size=PEOPLE_AT_ONCE)
    ]


def _answered(lesson: Lesson, kept: dict[str, object]) -> tuple[Answered, ...]:
    return tuple(
        Answered(exercise, exercise.words(kept[exercise.key]))
        for exercise in lesson.exercises
        if exercise.key in kept
    )


def _case(participant: Participant) -> Case:
    is_treated = is_in_treatment(participant)
    if is_treated:
        keep_window(participant=participant)
    today = clock.today(participant.zone)
    lately = [row for row in diary_of(participant) if (today - row.morning_on).days < LAST_DAYS]
    return Case(
        participant=participant,
        is_in_treatment=is_treated,
        n_lessons=sum(row.is_done for row in lessons_for(participant)),
        n_nights_lately=len(lately),
        window_waits=waiting_window(participant) is not None and not exclusions_of(participant),
        is_excluded=bool(exclusions_of(participant)),
        n_unread=n_unread(participant, by_staff=True),
    )
