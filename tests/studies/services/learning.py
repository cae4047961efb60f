"""Lessons and diaries in no time: through the services, at the clock's moment."""

from contextlib import ExitStack
from datetime import datetime, timedelta

from studies import clock
from studies.design.lessons import ExerciseKind, Lesson, lesson_named
from studies.design.windows import morning_of
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.models.study import Role, Study
from studies.models.user import User
from studies.services.cbt.diary import diary_for, save_diary_answer, submit_diary
from studies.services.cbt.lessons import answer_exercise, finish_lesson, read_card
from studies.services.cbt.sleep_window import confirm_window, screen_for_window, waiting_window
from tests.factories import make_participant, make_staff, make_study
from tests.studies.views.browsers import plan_of_one_kind

# 7 h 30 in which to sleep, 30 minutes awake: 420 minutes asleep of 495 in bed, 84.8 per cent.
NIGHT = {
    "into_bed": "22:30", "tried_to_sleep": "23:00", "latency_min": "20", "awakenings": "1",
    "wake_min": "10", "final_waking": "06:30", "out_of_bed": "06:45", "quality": "4",
}  # fmt: skip
GOOD_NIGHT = {
    **NIGHT, "into_bed": "23:00", "latency_min": "5", "awakenings": "0", "out_of_bed": "06:35"
}  # fmt: skip
BAD_NIGHT = {**NIGHT, "latency_min": "120", "wake_min": "30"}
GIVEN = {ExerciseKind.TIME: "06:45", ExerciseKind.TEXT: "It is loud in my head."}


def learner_in(study: Study | None = None) -> Participant:
    """Return somebody who was allocated to lessons just now."""
    study = study or make_study(protocol=plan_of_one_kind("cbt"))
    return make_participant("allocated", study=study)


def therapist_of(study: Study) -> User:
    """Return a therapist of the study."""
    return make_staff(Role.THERAPIST, study=study)


def take_lesson(participant: Participant, key: str = "sleep_education") -> Lesson:
    """Read every card, answer every exercise, finish."""
    lesson = lesson_named(key, participant.language)
    for card in range(1, len(lesson.cards) + 1):
        read_card(participant=participant, lesson=key, card=card)
    for exercise in lesson.exercises:
        value = GIVEN.get(exercise.kind) or exercise.choices[0].key
        value = [value] if exercise.kind is ExerciseKind.SEVERAL else value
        answer_exercise(participant=participant, lesson=key, exercise=exercise.key, value=value)
    finish_lesson(participant=participant, lesson=key)
    return lesson


def write_diary(participant: Participant, night: dict[str, str] = NIGHT) -> DiaryEntry:
    """Write this morning's diary and hand it in."""
    today = morning_of(clock.now(), participant.zone)
    entry = diary_for(participant=participant, morning_on=today)
    for key, raw in night.items():
        if key != "wake_min" or night["awakenings"] != "0":
            save_diary_answer(entry=entry, item_key=key, raw=raw)
    return submit_diary(entry=entry)


def live(
    participant: Participant, since: datetime, days: range, night: dict[str, str] = NIGHT
) -> None:
    """Write the diary on each of these days after `since`."""
    for day in days:
        with clock.at(since + timedelta(days=day)):
            write_diary(participant, night)


def reach_window(participant: Participant, since: datetime, night: dict[str, str] = NIGHT) -> None:
    """Take lesson 1 on day 0 and lesson 2 on day 7, with a diary each morning between."""
    with clock.at(since):
        take_lesson(participant)
    live(participant, since, range(1, 8), night)
    with clock.at(since + timedelta(days=7, hours=1)):
        take_lesson(participant, "sleep_window")


def confirm(participant: Participant, therapist: User, at: datetime, **changes: object) -> None:
    """Let the therapist find nothing against the window, and confirm it."""
    with ExitStack() as stack:
        stack.enter_context(clock.at(at))
        screen_for_window(participant=participant, exclusions=(), user=therapist)
        waiting = waiting_window(participant)
        kept = {"window_min": waiting.proposed_min, "rise_at": waiting.rise_at, **changes}
        confirm_window(window=waiting, user=therapist, **kept)
