import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from studies import clock
from studies.design.windows import morning_of
from studies.models.cbt import DiaryEntry
from studies.models.listening import PlaylistAssignment
from studies.models.participant import Participant
from studies.services.music.listening import record_listening
from studies.services.music.playlists import request_tonight
from tests.studies.services.music.test_morning_diary import TAPS
from tests.studies.views.browsers import learner, listener, phone_of
from tests.studies.views.participant.test_tonight import publish

pytestmark = pytest.mark.django_db
# What is each person's own on every page: a form's token, the tag of their device.
PERSONAL = r'value="[A-Za-z0-9]{64}"|data-person="[0-9a-f]{20}"'


@pytest.fixture
def participant() -> Participant:
    return listener()


@pytest.fixture
def phone(participant: Participant) -> Client:
    client = phone_of(participant)
    client.get("/me/group/")
    return client


def address_of(participant: Participant, days_back: int = 0) -> str:
    return f"/me/morning/{morning_of(clock.now(), participant.zone) - timedelta(days=days_back)}/"


def tap_through(phone: Client, address: str) -> str:
    """Answer from the first question to the last; return where that leads."""
    page = phone.get(address).url
    for key, raw in TAPS.items():
        assert page == f"{address}{key}/"
        page = phone.post(page, {"answer": raw}).url
    return page


def test_six_answers_and_nothing_else_hand_a_morning_in(
    phone: Client, participant: Participant
) -> None:
    address = address_of(participant)
    assert "How was last night?" in phone.get("/me/").content.decode()
    saved = tap_through(phone, address)
    assert saved == f"{address}check/"
    page = phone.get(saved).content.decode()
    assert "this morning is saved" in page
    assert "7 to 8 hours" in page
    assert DiaryEntry.objects.get().response.is_submitted
    assert "Completed" in phone.get("/me/").content.decode()


def test_the_music_of_the_night_is_asked_about_where_it_was_heard(
    phone: Client, participant: Participant
) -> None:
    saved = tap_through(phone, address_of(participant))
    assert "Never again" not in phone.get(saved).content.decode()
    night_on = morning_of(clock.now(), participant.zone) - timedelta(days=1)
    night = request_tonight(participant=participant)
    publish(night)
    record_listening(
        participant=participant, night_id=night.pk, client_id=uuid4(), intervals=[[0, 30]]
    )
    PlaylistAssignment.objects.update(night_on=night_on)
    page = phone.get(saved).content.decode()
    assert "Never again" in page
    assert 'name="back" value="morning"' in page
    PlaylistAssignment.objects.update(night_on=night_on - timedelta(days=1))
    assert "Never again" not in phone.get(saved).content.decode()


def test_a_tap_is_offered_where_scripts_run_and_continue_where_they_do_not(
    phone: Client, participant: Participant
) -> None:
    page = phone.get(f"{address_of(participant)}latency_band/").content.decode()
    assert "data-taps" in page
    assert re.search(r"data-with-scripts hidden>A tap answers", page)
    assert ">Continue</button>" in page


def test_what_was_saved_can_be_changed_while_the_morning_is_open(
    phone: Client, participant: Participant
) -> None:
    address = address_of(participant)
    tap_through(phone, address)
    page = phone.get(f"{address}music/").content.decode()
    assert "I do not want to answer" not in page
    assert phone.post(f"{address}music/", {"answer": "0"}).url == f"{address}check/"
    assert DiaryEntry.objects.get().response.revision == 2
    with clock.at(clock.now() + timedelta(days=9)):
        later = phone_of(participant)
        assert later.get(f"{address}music/").url == "/me/mornings/"


def test_an_earlier_morning_waits_quietly_and_the_limit_is_stated(
    phone: Client, participant: Participant
) -> None:
    assert "Earlier mornings" in phone.get("/me/").content.decode()
    page = phone.get("/me/mornings/").content.decode()
    assert "An older one stays empty, and that is fine." in page
    back = participant.study.plan.skills.diary_days_back
    assert page.count('href="/me/morning/') == back + 1
    for days in range(1, back + 1):
        tap_through(phone, address_of(participant, days))
    assert "Earlier mornings" not in phone.get("/me/").content.decode()


@pytest.mark.parametrize("days_back", [-1, 30])
def test_a_morning_out_of_reach_leads_to_the_list_and_begins_nothing(
    phone: Client, participant: Participant, days_back: int
) -> None:
    address = address_of(participant, days_back)
    for page in (address, f"{address}quality/", f"{address}check/"):
        assert phone.get(page).url == "/me/mornings/"
    assert phone.post(f"{address}quality/", {"answer": "1"}).url == "/me/mornings/"
    assert not DiaryEntry.objects.exists()


def test_a_question_that_does_not_exist_is_not_here(
    phone: Client, participant: Participant
) -> None:
    assert phone.get(f"{address_of(participant)}se_pct/").status_code == 404


def test_whoever_has_lessons_has_the_diary_there() -> None:
    phone = phone_of(learner())
    for page in ("/me/mornings/", "/me/morning/2026-11-22/", "/me/morning/2026-11-22/quality/"):
        assert phone.get(page).status_code == 404


def test_the_three_music_arms_meet_the_same_pages() -> None:
    pages = set()
    for person in (listener(), listener()):
        phone = phone_of(person)
        address = address_of(person)
        for page in ("/me/mornings/", f"{address}music/"):
            html = re.sub(PERSONAL, "", phone.get(page).content.decode())
            pages.add((page, html.replace(person.study.code, "")))
    assert len(pages) == 2
