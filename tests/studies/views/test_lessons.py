from datetime import timedelta

import pytest

from studies import clock
from studies.design.lessons import lesson_named
from studies.models.cbt import DiaryEntry, LessonProgress
from tests.studies.views.browsers import learner, listener, phone_of

pytestmark = pytest.mark.django_db

KEY = "sleep_education"


def test_a_lesson_is_read_card_by_card_and_ends_with_a_choice():
    participant = learner()
    client, lesson = phone_of(participant), lesson_named(KEY, "en")
    assert lesson.title in client.get("/me/lessons/").content.decode()
    for number, card in enumerate(lesson.cards, start=1):
        assert card.title in client.get(f"/me/lesson/{KEY}/{number}/").content.decode()
    last = f"/me/lesson/{KEY}/{len(lesson.cards) + 1}/"
    assert lesson.exercise.question in client.get(last).content.decode()
    assert "Choose one" in client.post(last, {}).content.decode()
    page = client.post(last, {"answer": lesson.exercise.choices[0].key}).content.decode()
    assert "Lesson finished" in page
    progress = LessonProgress.objects.get(participant=participant)
    assert progress.finished_at is not None


def test_the_exercise_waits_for_the_cards():
    client, lesson = phone_of(learner()), lesson_named(KEY, "en")
    last = f"/me/lesson/{KEY}/{len(lesson.cards) + 1}/"
    response = client.post(last, {"answer": lesson.exercise.choices[0].key})
    assert response.url == f"/me/lesson/{KEY}/1/"


def test_a_lesson_that_is_locked_or_unknown_leads_back_to_the_list():
    client = phone_of(learner())
    for address in ("sleep_window/1/", "no-such/1/", f"{KEY}/99/"):
        assert client.get(f"/me/lesson/{address}").url == "/me/lessons/"


def test_the_diary_of_this_morning_is_written_item_by_item():
    participant = learner()
    client = phone_of(participant)
    morning = clock.today(participant.zone)
    address = f"/me/diary/{morning}/"
    assert client.get(address).status_code == 200
    assert not DiaryEntry.objects.exists()
    item = client.post(address).url
    assert item.startswith(address)
    assert "Question 1 of" in client.get(item).content.decode()
    assert client.get(address).url == item


def test_a_morning_long_gone_or_to_come_leads_back_to_the_list():
    participant = learner()
    client = phone_of(participant)
    today = clock.today(participant.zone)
    for days in (-3, 1):
        morning = today + timedelta(days=days)
        assert client.get(f"/me/diary/{morning}/").url == "/me/lessons/"
        assert client.post(f"/me/diary/{morning}/").url == "/me/lessons/"
    assert client.get("/me/diary/2026-02-31/").status_code == 404


def test_lessons_do_not_exist_for_the_music_group():
    client = phone_of(listener())
    assert client.get("/me/lessons/").status_code == 404
    assert client.get(f"/me/lesson/{KEY}/1/").status_code == 404
