from datetime import timedelta

import pytest

from studies import clock
from studies.design.lessons import lesson_named
from studies.models.cbt import LessonProgress
from studies.services.cbt.messages import send_message
from tests.studies.services.learning import (
    confirm,
    live,
    reach_window,
    take_lesson,
    therapist_of,
)
from tests.studies.views.browsers import learner, listener, phone_of

pytestmark = pytest.mark.django_db

KEY = "sleep_education"


def _page(client, address):
    return client.get(address).content.decode()


def test_a_lesson_is_read_card_by_card_and_ends_with_its_exercises():
    participant = learner()
    client, lesson = phone_of(participant), lesson_named(KEY, "en")
    assert lesson.title in _page(client, "/me/lessons/")
    for number, card in enumerate(lesson.cards, start=1):
        assert card.title in _page(client, f"/me/lesson/{KEY}/{number}/")
    for number, exercise in enumerate(lesson.exercises, start=len(lesson.cards) + 1):
        address = f"/me/lesson/{KEY}/{number}/"
        assert exercise.question in _page(client, address)
        assert "Choose one" in client.post(address, {}).content.decode()
        following = client.post(address, {"answer": exercise.choices[0].key}).url
    assert following == f"/me/lesson/{KEY}/{lesson.n_pages + 1}/"
    page = client.get(following, follow=True).content.decode()
    assert "Lesson finished" in page
    assert "It needs 5 nights in your diary since the last lesson. You have 0." in page
    assert LessonProgress.objects.get(participant=participant).finished_at is not None


def test_going_on_leads_where_somebody_stopped_on_any_device():
    participant = learner()
    assert f"/me/lesson/{KEY}/1/" in _page(phone_of(participant), "/me/lessons/")
    phone_of(participant).get(f"/me/lesson/{KEY}/4/")
    client = phone_of(participant)
    page = _page(client, "/me/lessons/")
    assert "Go on" in page
    assert f"/me/lesson/{KEY}/4/" in page
    client.get(f"/me/lesson/{KEY}/7/")
    client.post(f"/me/lesson/{KEY}/8/", {"answer": "too_early"})
    assert f"/me/lesson/{KEY}/9/" in _page(client, "/me/lessons/")
    assert client.get(f"/me/lesson/{KEY}/done/").url == f"/me/lesson/{KEY}/9/"


def test_an_answer_is_shown_again_when_its_page_is_opened_again():
    client = phone_of(learner())
    client.get(f"/me/lesson/{KEY}/7/")
    client.post(f"/me/lesson/{KEY}/8/", {"answer": "too_early"})
    assert 'value="too_early"' in _page(client, f"/me/lesson/{KEY}/8/")
    assert "checked" in _page(client, f"/me/lesson/{KEY}/8/")


def test_the_exercises_wait_for_the_cards():
    client = phone_of(learner())
    assert client.get(f"/me/lesson/{KEY}/done/").url == f"/me/lesson/{KEY}/1/"


def test_a_lesson_that_is_locked_or_unknown_leads_back_to_the_list():
    client = phone_of(learner())
    for address in ("sleep_window/1/", "no-such/1/", f"{KEY}/0/", "no-such/done/"):
        assert client.get(f"/me/lesson/{address}").url == "/me/lessons/"


@pytest.mark.parametrize(
    ("typed", "kept"), [("6:45", "06:45"), ("06\uff1a45", "06:45"), (" 23:05 ", "23:05")]
)
def test_a_time_is_read_as_people_type_it(typed, kept):
    participant = learner()
    now = clock.now()
    with clock.at(now - timedelta(days=8)):
        take_lesson(participant)
    live(participant, now - timedelta(days=8), range(1, 8))
    client = phone_of(participant)
    assert "Which helper do you want to try" in _page(client, "/me/lesson/sleep_window/1/")
    client.get("/me/lesson/sleep_window/9/")
    assert client.post("/me/lesson/sleep_window/10/", {"answer": typed}).status_code == 302
    assert participant.exercise_answers.get(exercise="wake_time").value == kept
    for wrong in ("at seven", "24:00", "6", "06:61", ""):
        page = client.post("/me/lesson/sleep_window/10/", {"answer": wrong}).content.decode()
        assert "Write a time of day like 06:45" in page


def test_the_window_is_shown_when_it_holds_and_on_todays_page():
    participant = learner()
    start = clock.now() - timedelta(days=8)
    reach_window(participant, start)
    client = phone_of(participant)
    assert "Your therapist is looking at it." in _page(client, "/me/lessons/")
    confirm(participant, therapist_of(participant.study), start + timedelta(days=7, hours=2))
    assert "In bed from 23:45, up at 06:45" in _page(client, "/me/lessons/")
    client.get("/me/", follow=True)
    assert "in bed from 23:45, up at 06:45" in _page(client, "/me/")


def test_todays_page_says_what_waits_and_counts_nothing_missed():
    participant = learner()
    client = phone_of(participant)
    client.get("/me/", follow=True)
    page = _page(client, "/me/")
    assert "Sleep diary of this morning" in page
    assert "How sleep works" in page
    assert "A message from your therapist" not in page
    send_message(participant=participant, text="Hello", user=therapist_of(participant.study))
    page = _page(client, "/me/")
    assert "A message from your therapist" in page
    assert "Hello" not in page


def test_lessons_do_not_exist_for_the_music_group():
    client = phone_of(listener())
    for address in ("lessons/", f"lesson/{KEY}/1/", "messages/"):
        assert client.get(f"/me/{address}").status_code == 404
