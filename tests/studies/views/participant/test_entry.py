import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from studies import clock
from studies.models.access import PrivateLink
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.services.entry.consent import current_text
from studies.services.entry.enrolment import revoke_link
from studies.services.trail.audit import SYSTEM
from studies.views.participant import session
from tests.factories import PIN, make_participant
from tests.studies.views.browsers import phone_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def invited(db):
    return make_participant("invited")


def pin_address(participant) -> str:
    return reverse("studies:link_pin", args=[participant.url_token])


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("theme", ["day", "night", "auto"])
def test_the_front_page_speaks_both_languages_by_day_and_by_night(language, theme):
    client = Client()
    client.cookies["django_language"], client.cookies["theme"] = language, theme
    page = client.get("/").content.decode()
    assert f'<html lang="{language}" data-theme="{theme}">' in page
    assert 'name="color-scheme"' in page


def test_no_page_holds_a_script_or_a_style_of_its_own(invited):
    for address in ("/", pin_address(invited), reverse("account_login"), reverse("studies:help")):
        response = Client().get(address)
        page = response.content.decode()
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son[a-z]+=", page)
        assert "default-src 'self'" in response["Content-Security-Policy"]


def test_looking_at_a_link_consumes_nothing(invited):
    client = Client()
    for _ in range(3):
        page = client.get(reverse("studies:private_link", args=[invited.url_token]))
        assert page.status_code == 200
    client.post(pin_address(invited), {})
    link = PrivateLink.objects.get(participant=invited)
    assert (link.pin_hash, link.failed_attempts, link.pin_set_at) == ("", 0, None)


def test_a_pin_is_chosen_twice_and_signs_in(invited):
    client = Client()
    page = client.post(pin_address(invited), {"pin": PIN, "pin_again": "999888"})
    assert "Enter the same six digits twice" in page.content.decode()
    assert "<title>Error: " in page.content.decode()
    assert client.post(pin_address(invited), {"pin": PIN, "pin_again": PIN}).url == "/me/"
    assert client.get("/me/").url == "/me/consent/"


def test_a_simple_pin_is_refused_in_plain_words(invited):
    page = Client().post(pin_address(invited), {"pin": "123456", "pin_again": "123456"})
    assert "harder to guess" in page.content.decode()


def test_the_token_is_not_in_the_address_nor_in_the_session_after_sign_in(invited):
    client = phone_of(invited)
    assert invited.url_token not in client.get("/me/", follow=True).request["PATH_INFO"]
    assert invited.url_token not in str(dict(client.session))
    cookie = client.cookies["private_link"]
    assert cookie["httponly"]
    assert cookie["path"] == "/me/pin/"


def test_a_wrong_pin_says_how_many_tries_are_left_and_then_locks():
    participant = make_participant("consented")
    client = Client()
    pages = [client.post(pin_address(participant), {"pin": "000111"}) for _ in range(5)]
    assert "You can try 4 more times" in pages[0].content.decode()
    assert "You can try 1 more time" in pages[3].content.decode()
    assert "Wait 15 minutes" in pages[4].content.decode()
    page = client.post(pin_address(participant), {"pin": PIN})
    assert "Too many tries" in page.content.decode()


def test_a_link_that_is_closed_has_a_calm_page_with_a_next_step(invited):
    address = reverse("studies:private_link", args=[invited.url_token])
    with clock.at(clock.now() + timedelta(days=15)):
        assert "This link has run out" in Client().get(address).content.decode()
    revoke_link(participant=invited, actor=SYSTEM)
    page = Client().get(address)
    assert page.status_code == 404
    assert "This link is no longer in use" in page.content.decode()
    unknown = Client().get(reverse("studies:private_link", args=["nothing"]))
    assert "This link does not open" in unknown.content.decode()


def test_a_revoked_link_ends_its_sessions():
    participant = make_participant("consented")
    client = phone_of(participant)
    assert client.get("/me/").status_code == 200
    revoke_link(participant=participant, actor=SYSTEM)
    assert client.get("/me/").status_code == 302
    assert "no longer in use" in client.get("/me/", follow=True).content.decode()


def test_answers_ask_for_the_pin_again_after_ten_idle_minutes(monkeypatch):
    participant = make_participant("consented")
    client = phone_of(participant)
    later = session._now_s() + session.IDLE_S + 1
    monkeypatch.setattr(session, "_now_s", lambda: later)
    response = client.get("/me/music/")
    assert response.url == "/me/pin/?next=%2Fme%2Fmusic%2F"
    assert client.post(response.url, {"pin": PIN}).url == "/me/music/"
    assert client.get("/me/music/").status_code == 200


def test_the_page_after_the_pin_is_always_one_of_our_own():
    participant = make_participant("consented")
    client = phone_of(participant)
    address = "/me/pin/?next=https://elsewhere.example/me/"
    assert client.post(address, {"pin": PIN}).url == "/me/"


def test_without_a_link_the_pin_page_says_where_to_find_it():
    page = Client().get(reverse("studies:pin"))
    assert page.status_code == 200
    assert "Open your private link" in page.content.decode()


def test_signing_out_forgets_the_link_on_this_device():
    client = phone_of(make_participant("consented"))
    assert client.post(reverse("studies:leave")).status_code == 200
    assert client.get("/me/").status_code == 302
    assert client.cookies["private_link"].value == ""


def test_forms_refuse_a_post_without_their_token(invited):
    client = Client(enforce_csrf_checks=True)
    page = client.post(pin_address(invited), {"pin": PIN, "pin_again": PIN})
    assert page.status_code == 403
    assert "This page was open for too long" in page.content.decode()


def test_pages_speak_the_participants_language_until_another_is_chosen():
    participant = make_participant("consented", language="zh-hans")
    client = phone_of(participant)
    assert '<html lang="zh-hans"' in client.get("/me/").content.decode()
    client.post(reverse("studies:language"), {"language": "en", "next": "/me/"})
    assert '<html lang="en"' in client.get("/me/").content.decode()


def test_the_consent_text_follows_the_language_a_participant_switches_to():
    participant = make_participant("invited", language="en")
    client = phone_of(participant)
    client.post(reverse("studies:language"), {"language": "zh-hans", "next": "/me/"})
    participant.refresh_from_db()
    assert participant.language == "zh-hans"
    assert current_text(participant).language == "zh-hans"
    assert AuditEntry.objects.filter(action="choose_language").count() == 1


def test_a_language_chosen_before_the_pin_is_the_participants_own(invited):
    client = Client()
    client.post(reverse("studies:language"), {"language": "zh-hans", "next": "/"})
    client.post(pin_address(invited), {"pin": PIN, "pin_again": PIN})
    assert Participant.objects.get().language == "zh-hans"


def test_a_language_that_does_not_exist_changes_nothing():
    participant = make_participant("invited", language="en")
    phone_of(participant).post(reverse("studies:language"), {"language": "tlh", "next": "/me/"})
    participant.refresh_from_db()
    assert participant.language == "en"


def test_help_is_in_the_same_place_on_every_participants_page():
    client = phone_of(make_participant("consented"))
    for address in ("/me/", "/me/music/", "/me/stop/", "/me/help/"):
        header = client.get(address).content.decode().split("<main")[0]
        assert f'href="{reverse("studies:help")}"' in header


def test_the_help_page_shows_the_sites_help_line(settings):
    settings.NOCTURNE_HELP_LINE = "Call 116 111"
    assert "Call 116 111" in Client().get(reverse("studies:help")).content.decode()


@pytest.mark.parametrize(
    ("hour", "chosen", "theme"),
    [(22, "", "night"), (22, "day", "day"), (12, "", "auto"), (12, "night", "night")],
)
def test_pages_are_dark_at_night_where_somebody_lives_unless_they_chose(hour, chosen, theme):
    participant = make_participant("consented")
    moment = clock.now().astimezone(ZoneInfo(participant.zone)).replace(hour=hour)
    with clock.at(moment):
        client = phone_of(participant)
        if chosen:
            client.post("/theme/", {"theme": chosen, "next": "/me/"})
        pages = [client.get(path).content.decode() for path in ("/me/", "/me/help/", "/me/pin/")]
    for page in pages:
        assert f'data-theme="{theme}"' in page
        assert ('content="dark"' in page) is (theme == "night")
