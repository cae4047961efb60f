from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from studies import clock
from studies.design.windows import morning_of
from studies.exceptions import StillToCome
from studies.models.cbt import DiaryEntry
from tests.studies.services.learning import NIGHT, write_diary
from tests.studies.views.browsers import learner, phone_of

pytestmark = pytest.mark.django_db


def test_the_diary_of_this_morning_is_written_item_by_item():
    participant = learner()
    client = phone_of(participant)
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    assert client.get(address).status_code == 200
    assert not DiaryEntry.objects.exists()
    item = client.post(address).url
    assert item.startswith(address)
    assert "Question 1 of" in client.get(item).content.decode()
    assert client.get(address).url == item


def test_usual_times_are_shown_as_such_and_taken_over_by_pressing_only():
    participant = learner()
    with clock.at(clock.now() - timedelta(days=1)):
        write_diary(participant)
    client = phone_of(participant)
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    page = client.get(address).content.decode()
    assert "The times you wrote last" in page
    assert NIGHT["into_bed"] in page
    assert DiaryEntry.objects.count() == 1
    assert client.get(f"{address}usual/").status_code == 405
    following = client.post(f"{address}usual/").url
    assert following == f"{address}latency_min/"
    entry = DiaryEntry.objects.get(morning_on=morning_of(clock.now(), participant.zone))
    assert entry.response.answers.count() == 4
    assert not entry.response.is_submitted
    for item, raw in (("latency_min", "10"), ("awakenings", "0"), ("quality", "4")):
        assert following == f"{address}{item}/"
        following = client.post(following, {"answer": raw}).url
    assert following == f"{address}check/"


def test_who_slept_otherwise_writes_every_time():
    participant = learner()
    with clock.at(clock.now() - timedelta(days=1)):
        write_diary(participant)
    client = phone_of(participant)
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    assert client.post(address).url == f"{address}into_bed/"
    page = client.get(f"{address}into_bed/").content.decode()
    assert 'value="22"' in page
    assert "This is what you wrote last" in page
    entry = DiaryEntry.objects.get(morning_on=morning_of(clock.now(), participant.zone))
    assert not entry.response.answers.exists()
    client.post(f"{address}into_bed/", {"hour": "21", "minute": "15"})
    assert "This is what you wrote last" not in client.get(f"{address}into_bed/").content.decode()


def test_a_diary_that_was_sent_says_that_it_stays_as_it_is():
    participant = learner()
    client = phone_of(participant)
    write_diary(participant)
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    for page in (f"{address}check/", f"{address}into_bed/"):
        assert client.get(page).url == f"{address}thanks/"
        assert client.post(page, {"hour": "21", "minute": "15"}).url == f"{address}thanks/"
    assert "It stays as it is." in client.get(f"{address}thanks/").content.decode()


def test_the_night_is_said_back_before_it_is_sent_and_so_is_a_range():
    participant = learner()
    client = phone_of(participant)
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    client.post(address)
    for item, raw in {**NIGHT, "latency_min": "15-25"}.items():
        hour, _colon, minute = raw.partition(":")
        client.post(f"{address}{item}/", {"hour": hour, "minute": minute, "answer": raw})
    page = client.get(f"{address}check/").content.decode()
    assert "That is 8 h 15 min in bed and 7 h 0 min asleep." in page
    assert "15-25, counted as 20 minutes" in page
    assert 'value="15-25"' in client.get(f"{address}latency_min/").content.decode()


def test_a_morning_long_gone_or_to_come_leads_back_to_the_list():
    participant = learner()
    client = phone_of(participant)
    today = morning_of(clock.now(), participant.zone)
    for days in (-3, 1):
        morning = today + timedelta(days=days)
        assert client.get(f"/me/diary/{morning}/").url == "/me/lessons/"
        assert client.post(f"/me/diary/{morning}/").url == "/me/lessons/"
        assert client.post(f"/me/diary/{morning}/usual/").url == "/me/lessons/"
    assert client.get("/me/diary/2026-02-31/").status_code == 404


def test_a_diary_ahead_of_its_time_says_so_and_can_be_sent_later():
    participant = learner()
    client = phone_of(participant)
    now = clock.now().astimezone(ZoneInfo(participant.zone))
    address = f"/me/diary/{morning_of(clock.now(), participant.zone)}/"
    with clock.at(now.replace(hour=6, minute=30)):
        with pytest.raises(StillToCome):
            write_diary(participant)
        assert client.get(f"{address}thanks/").url == address
        assert client.post(f"{address}check/").url == f"{address}check/"
        page = client.get(f"{address}check/").content.decode()
        assert "You wrote that you got up at 06:45. That is still to come" in page
    with clock.at(now.replace(hour=8)):
        assert "still to come" not in client.get(f"{address}check/").content.decode()
        assert client.post(f"{address}check/").url == f"{address}thanks/"
        assert "in your diary" in client.get(f"{address}thanks/").content.decode()
