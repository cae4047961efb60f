import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from questionnaires.instruments import instrument_named
from questionnaires.models import Answer
from studies.templatetags.devices import device_tag
from studies.views.participant import offline
from tests.factories import make_participant
from tests.studies.views.browsers import phone_of
from tests.studies.views.participant.test_assessing import assessment_of

pytestmark = pytest.mark.django_db
DATA = {"Accept": "application/json"}


@pytest.fixture
def consented():
    return make_participant("consented")


@pytest.fixture
def phone(consented) -> Client:
    return phone_of(consented)


def item_of(consented, phone, instrument="cpss") -> str:
    return phone.post(f"/me/assess/{assessment_of(consented, instrument).pk}/").url


def test_the_worker_keeps_the_shell_and_its_version_follows_every_file(tmp_path, monkeypatch):
    response = Client().get("/me/worker.js")
    text = response.content.decode()
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Cache-Control"] == "no-cache"
    shell = json.loads(re.search(r"SHELL = (\[.*?\]);", text)[1])
    assert all(Client().get(path).status_code == 200 or finders.find(path[8:]) for path in shell)
    version = re.search(r'VERSION = "([0-9a-f]{16})"', text)[1]
    changed = tmp_path / "tokens.css"
    changed.write_text("html { color: red }")
    found = finders.find
    monkeypatch.setattr(
        finders, "find", lambda name: changed if name == offline.SHELL[0] else found(name)
    )
    offline.shell_version.cache_clear()
    assert offline.shell_version() != version
    offline.shell_version.cache_clear()


def test_the_offline_page_is_the_same_for_everybody_dark_and_in_both_languages(consented, phone):
    phone.cookies["theme"] = "day"
    phone.cookies["django_language"] = "zh-hans"
    page = phone.get("/me/offline/").content.decode()
    assert page == Client().get("/me/offline/").content.decode()
    assert 'data-theme="night"' in page
    assert "No connection" in page
    assert "没有网络" in page
    for personal in ("csrf", consented.code, consented.study.title, device_tag(consented), "<form"):
        assert personal not in page


def test_the_app_starts_dark_and_without_a_token():
    manifest = json.loads(Path(finders.find("therapy_site/nocturne.webmanifest")).read_text())
    assert (manifest["background_color"], manifest["theme_color"]) == ("#0b0604", "#0b0604")
    assert manifest["start_url"] == "/me/"


def test_every_participants_page_knows_whose_answers_its_phone_may_keep(consented, phone):
    page = phone.get("/me/").content.decode()
    assert f'data-person="{device_tag(consented)}"' in page
    assert consented.code not in page
    other = make_participant("consented", study=consented.study)
    assert device_tag(other) != device_tag(consented)
    assert "data-person" not in Client().get("/").content.decode()


def test_the_empty_questions_hold_nobodys_answers(consented, phone):
    item = item_of(consented, phone)
    phone.post(item, {"answer": "3"})
    page = phone.get("/me/blank/cpss/").content.decode()
    keys = re.findall(r'data-item="([a-z_0-9]+)"', page)
    assert keys == [item.key for item in instrument_named("cpss").items]
    assert " checked" not in page
    assert "csrf" not in page
    assert phone.get("/me/blank/nothing/").status_code == 404


def test_a_script_is_told_where_to_go_on_and_a_repetition_changes_nothing(consented, phone):
    item, key = item_of(consented, phone), str(uuid4())
    sent = {"answer": "3", "key": key, "waited_ms": "0", "language": "zh-hans"}
    for _ in range(2):
        answer = phone.post(item, sent, headers=DATA)
        assert answer.json()["next"].endswith("/item_2/")
    phone.post(item, {"answer": "1"})
    phone.post(item, sent, headers=DATA)
    kept = Answer.objects.get()
    assert (kept.value, kept.language) == (1, "en")


def test_a_script_learns_by_status_what_a_page_would_say_in_words(consented, phone):
    item = item_of(consented, phone)
    assert phone.post(item, {"answer": "9"}, headers=DATA).status_code == 422
    assert Client().post(item, {"answer": "3"}, headers=DATA).status_code == 401
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    "odd",
    [{"key": "nonsense"}, {"waited_ms": "-5"}, {"waited_ms": "a while"}, {"language": "tlh"}],
)
def test_what_a_script_sends_along_is_believed_only_as_far_as_it_makes_sense(consented, phone, odd):
    item = item_of(consented, phone)
    assert phone.post(item, {"answer": "3", **odd}, headers=DATA).status_code == 200
    kept = Answer.objects.get()
    assert (kept.value, kept.language) == (3, "en")


def test_the_time_just_typed_is_said_back_on_the_next_page(consented, phone):
    item = item_of(consented, phone, "psqi")
    following = phone.post(item, {"hour": "0", "minute": "30"}).url
    assert "You go to bed at 00:30: half past midnight." in phone.get(following).content.decode()


def test_signing_out_clears_what_the_phone_keeps(phone):
    response = phone.post("/me/sign-out/")
    assert response["Clear-Site-Data"] == '"storage"'
    assert "leaving.js" in response.content.decode()
