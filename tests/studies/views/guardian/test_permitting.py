"""A guardian's pages, from the link to the signed copy."""

import pytest
from django.test import Client
from django.urls import reverse

from studies.models.consent import ConsentState, CopyMail
from studies.models.participant import Participant, ParticipantState
from studies.services.entry.consent import text_in
from tests.factories import PIN, make_participant, name_guardian, permit
from tests.studies.services.entry.test_consent import amend_text
from tests.studies.views.browsers import clinician_in, phone_of

pytestmark = pytest.mark.django_db

YES = {"decision": "yes", "signed_as": "Grace Example", "is_entitled": "on"}


def guardian_of(participant: Participant) -> Client:
    """Return a browser in which the guardian has entered link and PIN."""
    client = Client()
    address = reverse("studies:guardian_link_pin", args=[name_guardian(participant)])
    assert client.post(address, {"pin": PIN, "pin_again": PIN}).url == "/guardian/"
    return client


def answer_questions(client: Client, participant: Participant, language: str = "en") -> None:
    questions = text_in(participant.study, language).questions
    rights = {f"question_{n}": q["answer"] for n, q in enumerate(questions, start=1)}
    assert client.post("/guardian/questions/", rights).url == "/guardian/decide/"


def state_of(participant: Participant) -> str:
    return Participant.objects.get(pk=participant.pk).state


def test_looking_at_the_link_consumes_nothing() -> None:
    token = name_guardian(make_participant())
    page = Client().get(f"/g/{token}/")
    assert "A young person whom you are responsible for" in page.content.decode()
    assert Client().get(f"/g/{token}/pin/").status_code == 200
    assert Client().get("/g/no-such-link/").status_code == 404


def test_neither_link_opens_the_others_pages() -> None:
    participant = make_participant()
    token = name_guardian(participant)
    assert Client().get(f"/p/{token}/").status_code == 404
    assert Client().get(f"/g/{participant.url_token}/").status_code == 404
    guardian, child = guardian_of(participant), phone_of(participant)
    assert guardian.get("/me/").url.startswith("/me/pin/")
    assert child.get("/guardian/").url.startswith("/guardian/pin/")


def test_a_guardian_reads_understands_signs_and_has_the_copy() -> None:
    participant = make_participant()
    client = guardian_of(participant)
    assert "Read what the study is about" in client.get("/guardian/").content.decode()
    assert "Page 1 of 6" in client.get("/guardian/text/1/").content.decode()
    assert 'href="/guardian/questions/"' in client.get("/guardian/text/6/").content.decode()
    answer_questions(client, participant)
    check = client.post("/guardian/decide/", YES).content.decode()
    assert "You sign as Grace Example" in check
    assert not participant.consents.filter(state=ConsentState.AGREED).exists()
    assert client.post("/guardian/decide/", YES | {"confirmed": "1"}).url == "/guardian/"
    permission = participant.consents.get()
    assert permission.state == ConsentState.AGREED
    page = client.get("/guardian/").content.decode()
    assert "You said yes on" in page
    copy = client.get(f"/guardian/copies/{permission.pk}/")
    assert copy.content.startswith(b"%PDF-")


def test_a_yes_needs_a_name_and_the_right_to_decide() -> None:
    participant = make_participant()
    client = guardian_of(participant)
    answer_questions(client, participant)
    page = client.post("/guardian/decide/", {"decision": "yes", "signed_as": " "})
    assert "Enter your full name" in page.content.decode()
    assert "Tick this if you may decide" in page.content.decode()
    assert "Choose what you want to do" in client.post("/guardian/decide/").content.decode()


def test_a_yes_without_the_questions_leads_to_them() -> None:
    client = guardian_of(make_participant())
    forged = client.post("/guardian/decide/", YES | {"confirmed": "1"})
    assert forged.url == "/guardian/questions/"


def test_a_no_ends_it_for_the_child() -> None:
    participant = make_participant()
    client = guardian_of(participant)
    no = {"decision": "no"}
    assert "Your child may not take part." in client.post("/guardian/decide/", no).content.decode()
    client.post("/guardian/decide/", no | {"confirmed": "1"})
    assert state_of(participant) == ParticipantState.DECLINED
    assert "Nothing is asked of you now" in client.get("/guardian/").content.decode()


def test_a_guardian_reads_the_language_of_their_own() -> None:
    participant = make_participant()
    client = guardian_of(participant)
    client.post("/language/", {"language": "zh-hans", "next": "/guardian/"})
    page = client.get("/guardian/text/1/").content.decode()
    assert text_in(participant.study, "zh-hans").pages[0]["title"] in page
    answer_questions(client, participant, "zh-hans")
    client.post("/guardian/decide/", YES | {"confirmed": "1"})
    assert participant.consents.get().text.language == "zh-hans"


def test_a_permission_is_taken_back_after_one_question() -> None:
    participant = make_participant("allocated")
    client = guardian_of(participant)
    assert "Everything stops for your child" in client.get("/guardian/take-back/").content.decode()
    assert state_of(participant) == ParticipantState.ALLOCATED
    assert "Your permission has ended" in client.post("/guardian/take-back/").content.decode()
    assert state_of(participant) == ParticipantState.WITHDRAWN
    assert client.get("/guardian/").url.startswith("/guardian/pin/")


def test_a_guardian_sees_nothing_of_the_childs_answers_or_group() -> None:
    participant = make_participant("week4")
    client = guardian_of(participant)
    page = client.get("/guardian/").content.decode()
    for told in ("LSTM", "CBT", "MCMG", "GAMC", "PSQI", "Music for tonight", "lesson"):
        assert told not in page


def test_staff_name_a_guardian_and_see_the_link_once() -> None:
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/"
    assert "No parent or guardian is named yet" in client.get(address).content.decode()
    known = {"name": "Grace Example", "contact": "grace@example.org", "language": "en"}
    page = client.post(f"{address}guardian/", known, follow=True).content.decode()
    assert "/g/" in page
    assert "Grace" not in page
    assert "/g/" not in client.get(address).content.decode()
    page = client.post(f"{address}guardian/link/", follow=True).content.decode()
    assert "/g/" in page


def test_child_and_guardian_with_one_contact_are_remarked() -> None:
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/guardian/"
    known = {"name": "Grace Example", "contact": "Ada@example.org", "language": "en"}
    page = client.post(address, known, follow=True).content.decode()
    assert "Child and guardian have the same contact" in page


def test_an_adult_needs_no_guardian() -> None:
    participant = make_participant()
    Participant.objects.filter(pk=participant.pk).update(age_years=18)
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/guardian/"
    known = {"name": "Grace Example", "contact": "grace@example.org", "language": "en"}
    page = client.post(address, known, follow=True).content.decode()
    assert "No guardian is needed now" in page
    assert not participant.links.filter(holder="guardian").exists()


def test_who_takes_part_is_led_to_a_new_text_first_and_may_still_stop() -> None:
    participant = make_participant("allocated")
    client = Client()
    address = reverse("studies:link_pin", args=[participant.url_token])
    client.post(address, {"pin": PIN})
    participant.consents.filter(role="assent").update(state=ConsentState.SUPERSEDED)
    assert client.get("/me/").url == "/me/consent/"
    assert client.get("/me/music/").url == "/me/consent/"
    assert client.get("/me/stop/").status_code == 200
    participant.consents.filter(role="assent").update(state=ConsentState.AGREED)
    participant.consents.filter(role="permission").update(state=ConsentState.SUPERSEDED)
    assert client.get("/me/").url == "/me/waiting/"
    permit_again(participant)
    assert client.get("/me/").url != "/me/waiting/"


def test_a_guardian_who_is_asked_again_reads_why() -> None:
    participant = make_participant("allocated")
    client, why = guardian_of(participant), "Your child takes part already"
    assert why not in client.get("/guardian/").content.decode()
    amend_text(participant)
    assert why in client.get("/guardian/").content.decode()


def permit_again(participant: Participant) -> None:
    before = participant.consents.filter(role="permission")
    CopyMail.objects.filter(consent__in=before).delete()
    before.delete()
    permit(participant)
