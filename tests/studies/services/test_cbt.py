from datetime import timedelta

import pytest

from questionnaires.exceptions import IncompleteResponse
from questionnaires.models import Score
from studies import clock
from studies.exceptions import (
    DiaryNotOpen,
    LessonLocked,
    LessonUnfinished,
    NoLessonsInThisArm,
    NotInTreatment,
)
from studies.models.audit import AuditEntry
from studies.models.cbt import DiaryEntry, LessonProgress
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.cbt import (
    diary_for,
    diary_mornings,
    finish_lesson,
    lessons_for,
    open_lesson,
    read_card,
    save_diary_answer,
    submit_diary,
)
from tests.factories import make_participant
from tests.studies.services.evenings import someone_with

pytestmark = pytest.mark.django_db
LESSON = "sleep_education"
DIARY = {
    "into_bed": "22:30", "tried_to_sleep": "23:00", "latency_min": "20", "awakenings": "1",
    "wake_min": "10", "final_waking": "06:30", "out_of_bed": "06:45", "quality": "4",
}  # fmt: skip


@pytest.fixture
def learner() -> Participant:
    return someone_with(ArmKind.CBT)


def test_six_lessons_are_listed_and_the_first_is_open(learner: Participant) -> None:
    rows = lessons_for(learner)
    assert [row.is_open for row in rows] == [True, False, False, False, False, False]
    assert not any(row.is_done for row in rows)


def test_a_lesson_is_read_card_by_card_and_finished_once(learner: Participant) -> None:
    open_lesson(participant=learner, lesson=LESSON)
    for card in (1, 2, 3, 2, 4, 5, 6, 7):
        progress = read_card(participant=learner, lesson=LESSON, card=card)
    assert progress.card == 7
    done = finish_lesson(participant=learner, lesson=LESSON, answer="daylight")
    again = finish_lesson(participant=learner, lesson=LESSON, answer="same_time")
    assert (again.answer, again.finished_at) == ("daylight", done.finished_at)
    assert lessons_for(learner)[0].is_done
    assert LessonProgress.objects.count() == 1
    assert AuditEntry.objects.filter(action="finish_lesson").count() == 1


def test_a_lesson_is_not_finished_before_its_cards_and_its_exercise(learner: Participant) -> None:
    with pytest.raises(LessonUnfinished, match="7 cards are still to come"):
        finish_lesson(participant=learner, lesson=LESSON, answer="daylight")
    read_card(participant=learner, lesson=LESSON, card=7)
    with pytest.raises(LessonUnfinished, match="no answer"):
        finish_lesson(participant=learner, lesson=LESSON, answer="nonsense")


@pytest.mark.parametrize("lesson", ["sleep_window", "nonsense", "../secrets"])
def test_a_lesson_to_come_stays_locked(learner: Participant, lesson: str) -> None:
    with pytest.raises(LessonLocked):
        open_lesson(participant=learner, lesson=lesson)


@pytest.mark.parametrize("card", [0, 8, -1])
def test_a_card_that_is_not_there_is_refused(learner: Participant, card: int) -> None:
    with pytest.raises(LessonLocked):
        read_card(participant=learner, lesson=LESSON, card=card)


def test_music_arms_have_no_lessons_and_nobody_else_has_any() -> None:
    with pytest.raises(NoLessonsInThisArm):
        open_lesson(participant=someone_with(ArmKind.MUSIC), lesson=LESSON)
    with pytest.raises(NotInTreatment):
        diary_for(
            participant=(person := make_participant("baseline_done")),
            morning_on=clock.today(person.zone),
        )


def test_a_mornings_diary_is_kept_scored_and_handed_in_once(learner: Participant) -> None:
    morning = clock.today(learner.zone)
    entry = diary_for(participant=learner, morning_on=morning)
    assert diary_for(participant=learner, morning_on=morning) == entry
    with pytest.raises(IncompleteResponse):
        submit_diary(entry=entry)
    for key, raw in DIARY.items():
        save_diary_answer(entry=entry, item_key=key, raw=raw)
    submit_diary(entry=entry)
    submit_diary(entry=DiaryEntry.objects.get())
    efficiency = Score.objects.get(response=entry.response, name="se_pct").value
    assert efficiency == pytest.approx(100 * (7.5 * 60 - 30) / (8.25 * 60))
    assert AuditEntry.objects.filter(action="submit_diary").count() == 1


def test_the_diary_of_two_mornings_back_is_the_last_one(learner: Participant) -> None:
    today = clock.today(learner.zone)
    assert diary_mornings(learner) == [today - timedelta(days=back) for back in range(3)]
    for wrong in (today + timedelta(days=1), today - timedelta(days=3)):
        with pytest.raises(DiaryNotOpen, match=str(wrong)):
            diary_for(participant=learner, morning_on=wrong)
