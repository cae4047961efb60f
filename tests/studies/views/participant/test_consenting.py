from zoneinfo import ZoneInfo

import pytest

from studies import clock
from studies.models.consent import Consent
from studies.models.participant import Participant, ParticipantState
from studies.services.entry.consent import current_text
from tests.factories import decide, invite, make_participant, make_study, permit, understand
from tests.studies.services.entry.test_consent import amend_text
from tests.studies.views.browsers import learner, listener, phone_of

pytestmark = pytest.mark.django_db


def state_of(participant: Participant) -> str:
    return Participant.objects.get(pk=participant.pk).state


def permitted() -> Participant:
    """Return somebody of fifteen whose guardian has said yes already."""
    participant = make_participant()
    permit(participant)
    return participant


def invite_adult() -> Participant:
    invitation = invite(make_study(), age_years=18)
    invitation.participant.url_token = invitation.url_token
    return invitation.participant


def rights_of(participant: Participant) -> dict[str, int]:
    questions = current_text(participant).questions
    return {f"question_{n}": q["answer"] for n, q in enumerate(questions, start=1)}


def test_the_last_page_leads_to_the_questions_and_they_to_the_decision():
    participant = make_participant()
    client = phone_of(participant)
    last = client.get(f"/me/consent/{len(current_text(participant).pages)}/").content.decode()
    assert 'href="/me/consent/questions/"' in last
    page = client.get("/me/consent/questions/").content.decode()
    assert "This is no test" in page
    assert " checked" not in page
    answer = client.post("/me/consent/questions/", rights_of(participant))
    assert answer.url == "/me/consent/decide/"
    assert client.get("/me/consent/questions/").url == "/me/consent/decide/"


def test_what_was_not_understood_says_which_page_to_read_again():
    participant = make_participant()
    client = phone_of(participant)
    wrong = rights_of(participant) | {"question_2": 3}
    page = client.post("/me/consent/questions/", wrong).content.decode()
    assert "Read page 6 again" in page
    page = client.post("/me/consent/questions/", {}).content.decode()
    assert page.count("Choose an answer") >= 4


def test_a_yes_without_the_questions_leads_to_them():
    client = phone_of(make_participant())
    answer = client.post("/me/consent/decide/", {"decision": "yes"})
    assert answer.url == "/me/consent/questions/"
    answer = client.post("/me/consent/check/", {"decision": "yes"})
    assert answer.url == "/me/consent/questions/"


def test_a_minor_waits_for_the_guardian_and_has_a_copy_of_their_own_answer():
    participant = make_participant()
    client = phone_of(participant)
    understand(participant)
    assert client.post("/me/consent/check/", {"decision": "yes"}).url == "/me/"
    assert client.get("/me/").url == "/me/waiting/"
    assert "Waiting for your parent" in client.get("/me/waiting/").content.decode()
    own = participant.consents.get()
    copy = client.get(f"/me/consent/copies/{own.pk}/")
    assert copy["Content-Type"] == "application/pdf"
    assert copy.content.startswith(b"%PDF-")
    assert "no-store" in copy["Cache-Control"]
    permit(participant)
    assert client.get("/me/waiting/").url == "/me/"
    assert client.get("/me/").status_code == 200


def test_a_copy_is_nobody_elses():
    participant = make_participant("consented")
    stranger = phone_of(make_participant())
    for consent in participant.consents.all():
        assert stranger.get(f"/me/consent/copies/{consent.pk}/").status_code == 404


def test_a_guardians_no_is_told_without_blame():
    participant = make_participant()
    client = phone_of(participant)
    permit(participant, agreed=False)
    page = client.get("/me/").content.decode()
    assert "You are not taking part" in page


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
    participant = permitted()
    client = phone_of(participant)
    understand(participant)
    check = client.post("/me/consent/decide/", {"decision": "yes"}).url
    assert "You want to take part." in client.get(check).content.decode()
    assert state_of(participant) == ParticipantState.INVITED
    assert client.post("/me/consent/check/", {"decision": "yes"}).url == "/me/"
    assert state_of(participant) == ParticipantState.CONSENTED


def test_pressing_yes_twice_is_pressing_it_once():
    participant = invite_adult()
    client = phone_of(participant)
    understand(participant)
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


def test_who_is_asked_again_reads_why_and_finds_the_music():
    participant, why = listener(), "You said yes before"
    phone = phone_of(participant)
    assert why not in phone.get("/me/consent/1/").content.decode()
    amend_text(participant)
    assert phone.get("/me/").url == "/me/consent/"
    first = phone.get("/me/consent/1/").content.decode()
    assert why in first
    assert 'href="/me/tonight/"' in first
    assert why not in phone.get("/me/consent/2/").content.decode()
    decide(participant)
    assert phone.get("/me/").url == "/me/waiting/"
    assert 'href="/me/tonight/"' in phone.get("/me/waiting/").content.decode()


def test_lessons_go_on_while_somebody_is_asked_again_and_the_diary_waits():
    participant = learner()
    amend_text(participant)
    phone = phone_of(participant)
    first = phone.get("/me/consent/1/").content.decode()
    assert 'href="/me/lessons/"' in first
    assert "/me/tonight/" not in first
    assert phone.get("/me/lessons/").status_code == 200
    assert phone.get("/me/").url == "/me/consent/"
    morning = clock.now().astimezone(ZoneInfo(participant.zone)).date()
    assert phone.get(f"/me/diary/{morning}/").url == "/me/consent/"
