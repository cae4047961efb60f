import pytest

from studies.models.consent import Consent
from studies.models.participant import Participant, ParticipantState
from studies.services.entry.consent import current_text
from tests.factories import make_participant
from tests.studies.views.browsers import phone_of

pytestmark = pytest.mark.django_db


def state_of(participant: Participant) -> str:
    return Participant.objects.get(pk=participant.pk).state


def test_the_text_is_read_one_idea_a_page_with_a_way_back():
    participant = make_participant()
    client, text = phone_of(participant), current_text(participant)
    for number, content in enumerate(text.pages, start=1):
        page = client.get(f"/me/consent/{number}/").content.decode()
        assert f"Page {number} of {len(text.pages)}" in page
        assert content["title"] in page
    assert client.get(f"/me/consent/{len(text.pages) + 1}/").status_code == 404
    assert client.get("/me/consent/0/").status_code == 404


def test_nothing_is_chosen_beforehand_and_choosing_nothing_says_what_to_do():
    client = phone_of(make_participant())
    assert " checked" not in client.get("/me/consent/decide/").content.decode()
    page = client.post("/me/consent/decide/", {}).content.decode()
    assert "Choose what you want to do" in page
    assert page.count("autofocus") == 1


def test_a_yes_counts_only_after_it_was_checked():
    participant = make_participant()
    client = phone_of(participant)
    check = client.post("/me/consent/decide/", {"decision": "yes"}).url
    assert "You want to take part." in client.get(check).content.decode()
    assert state_of(participant) == ParticipantState.INVITED
    assert client.post("/me/consent/check/", {"decision": "yes"}).url == "/me/"
    assert state_of(participant) == ParticipantState.CONSENTED


def test_pressing_yes_twice_is_pressing_it_once():
    participant = make_participant()
    client = phone_of(participant)
    answers = [client.post("/me/consent/check/", {"decision": "yes"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Consent.objects.filter(participant=participant).count() == 1


def test_a_no_ends_calmly():
    participant = make_participant()
    client = phone_of(participant)
    client.post("/me/consent/check/", {"decision": "no"})
    assert state_of(participant) == ParticipantState.DECLINED
    assert "You decided not to take part" in client.get("/me/").content.decode()


def test_talking_first_decides_nothing():
    participant = make_participant()
    client = phone_of(participant)
    page = client.post("/me/consent/decide/", {"decision": "talk"}, follow=True)
    assert "Talk to someone first" in page.content.decode()
    assert state_of(participant) == ParticipantState.INVITED


def test_an_unknown_decision_is_asked_again():
    client = phone_of(make_participant())
    assert client.get("/me/consent/check/?decision=maybe").url == "/me/consent/decide/"
