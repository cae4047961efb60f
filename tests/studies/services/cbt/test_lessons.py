from datetime import timedelta

import pytest

from studies import clock
from studies.design.lessons import lesson_named
from studies.exceptions import (
    ExerciseRefused,
    LessonLocked,
    LessonUnfinished,
    NoLessonsInThisArm,
    NotInTreatment,
)
from studies.models.audit import AuditEntry
from studies.models.cbt import CourseVersion, ExerciseAnswer, LessonProgress, LessonSitting
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.services.cbt.lessons import (
    answer_exercise,
    answers_to,
    contact_minutes,
    finish_lesson,
    lessons_for,
    open_lesson,
    read_card,
    recalled,
)
from studies.services.cbt.messages import n_unread, read_thread
from tests.factories import make_participant
from tests.studies.services.evenings import someone_with
from tests.studies.services.learning import learner_in, live, take_lesson, write_diary

pytestmark = pytest.mark.django_db
LESSON = "sleep_education"


@pytest.fixture
def learner() -> Participant:
    return learner_in()


def test_eight_lessons_are_listed_and_the_first_is_open(learner: Participant) -> None:
    rows = lessons_for(learner)
    assert [row.is_open for row in rows] == [True] + [False] * 7
    assert not any(row.is_done or row.is_next for row in rows)


def test_a_lesson_is_read_card_by_card_and_finished_once(learner: Participant) -> None:
    open_lesson(participant=learner, lesson=LESSON)
    for card in (1, 2, 3, 2, 4):
        progress = read_card(participant=learner, lesson=LESSON, card=card)
    assert (progress.card, progress.version) == (4, lesson_named(LESSON, "en").version)
    take_lesson(learner)
    done = finish_lesson(participant=learner, lesson=LESSON)
    again = finish_lesson(participant=learner, lesson=LESSON)
    assert again.finished_at == done.finished_at
    assert lessons_for(learner)[0].is_done
    assert LessonProgress.objects.count() == 1
    assert AuditEntry.objects.filter(action="finish_lesson").count() == 1


def test_a_lesson_is_not_finished_before_its_cards_and_its_exercises(learner: Participant) -> None:
    with pytest.raises(LessonUnfinished, match="7 cards are still to come"):
        finish_lesson(participant=learner, lesson=LESSON)
    read_card(participant=learner, lesson=LESSON, card=7)
    with pytest.raises(LessonUnfinished, match="hardest_part has no answer"):
        finish_lesson(participant=learner, lesson=LESSON)


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
        open_lesson(participant=make_participant("baseline_done"), lesson=LESSON)


def test_the_next_lesson_opens_after_six_days_and_five_nights(learner: Participant) -> None:
    now = clock.now()
    take_lesson(learner)
    live(learner, now, range(1, 5))
    with clock.at(now + timedelta(days=6)):
        coming = lessons_for(learner)[1]
        assert (coming.is_open, coming.is_next) == (False, True)
        assert (coming.gate.n_nights, coming.gate.nights_missing) == (4, 1)
        with pytest.raises(LessonLocked):
            open_lesson(participant=learner, lesson="sleep_window")
        write_diary(learner)
        assert lessons_for(learner)[1].is_open
        open_lesson(participant=learner, lesson="sleep_window")


def test_five_nights_before_the_sixth_day_are_too_early(learner: Participant) -> None:
    now = clock.now()
    take_lesson(learner)
    live(learner, now, range(1, 6))
    with clock.at(now + timedelta(days=5, hours=1)):
        assert not lessons_for(learner)[1].is_open


def test_a_finished_lesson_can_be_read_again_and_loses_nothing(learner: Participant) -> None:
    take_lesson(learner)
    again = read_card(participant=learner, lesson=LESSON, card=1)
    assert again.card == 7
    assert again.finished_at is not None


def test_answers_are_kept_and_come_back_on_later_cards(learner: Participant) -> None:
    take_lesson(learner)
    answer_exercise(participant=learner, lesson=LESSON, exercise="one_helper", value="daylight")
    card = lesson_named("sleep_window", "en").cards[0]
    assert [(one.question, one.words) for one in recalled(learner, card)] == [
        ("Which helper do you want to try this week?", "Daylight in the first hour")
    ]
    assert recalled(learner, lesson_named("worries", "en").cards[0]) == []


def test_words_of_ones_own_lie_under_seal_and_are_a_hash_in_the_trail() -> None:
    now = clock.now()
    with clock.at(now - timedelta(days=40)):
        learner = learner_in()
        start = clock.now()
        take_lesson(learner)
    for week, lesson in enumerate(["sleep_window", "relaxation", "worries"], start=1):
        live(learner, start, range(7 * week - 5, 7 * week + 1))
        with clock.at(start + timedelta(days=7 * week, hours=1)):
            take_lesson(learner, lesson)
    kept = ExerciseAnswer.objects.get(exercise="night_thought")
    assert kept.value is None
    assert b"loud" not in bytes(kept.sealed)
    assert answers_to(learner)["night_thought"] == "It is loud in my head."
    told = str(list(AuditEntry.objects.values_list("old", "new")))
    assert "loud in my head" not in told
    assert "sha256" in told


@pytest.mark.parametrize("value", ["nonsense", "", None, ["daylight"], 3])
def test_an_answer_that_does_not_fit_is_refused(learner: Participant, value: object) -> None:
    read_card(participant=learner, lesson=LESSON, card=7)
    with pytest.raises(ExerciseRefused) as refusal:
        answer_exercise(participant=learner, lesson=LESSON, exercise="one_helper", value=value)
    assert "nonsense" not in str(refusal.value)
    with pytest.raises(LessonLocked):
        answer_exercise(participant=learner, lesson=LESSON, exercise="wake_time", value="06:45")


def test_contact_minutes_are_counted_from_the_pages_and_not_while_away(
    learner: Participant,
) -> None:
    now = clock.now()
    for card, after_s in enumerate((0, 40, 100, 1100, 4000), start=1):
        with clock.at(now + timedelta(seconds=after_s)):
            read_card(participant=learner, lesson=LESSON, card=card)
    assert contact_minutes(learner) == pytest.approx((40 + 60 + 180) / 60)
    assert LessonSitting.objects.filter(participant=learner).count() == 2


def test_a_changed_course_opens_no_new_lesson_and_keeps_what_was_begun(
    learner: Participant,
) -> None:
    open_lesson(participant=learner, lesson=LESSON)
    CourseVersion.objects.filter(study=learner.study).update(sha256="0" * 64)
    take_lesson(learner)
    now = clock.now()
    live(learner, now, range(1, 7))
    with clock.at(now + timedelta(days=7)), pytest.raises(LessonLocked):
        open_lesson(participant=learner, lesson="sleep_window")


def test_who_is_worse_and_wants_to_tell_tells_the_therapist_once(learner: Participant) -> None:
    booster = lesson_named("booster_look_back", learner.language)
    assert [choice.key for choice in booster.exercises[0].choices if choice.tells] == ["worse"]
    start, modules = clock.now(), [row.announcement for row in lessons_for(learner)][:6]
    for week, module in enumerate(modules):
        with clock.at(start + timedelta(weeks=week)):
            take_lesson(learner, module.key)
        live(learner, start, range(7 * week + 1, 7 * week + 7))
    with clock.at(start + timedelta(days=35 + learner.study.plan.skills.booster_days)):
        given = {"participant": learner, "lesson": booster.key, "exercise": "now"}
        answer_exercise(**given, value="same")
        assert n_unread(learner, by_staff=True) == 0
        for _twice in range(2):
            answer_exercise(**given, value="worse")
        assert n_unread(learner, by_staff=True) == 1
        (line,) = read_thread(participant=learner)
        assert line.text == "How is your sleep now? Worse. I want to tell my therapist"
