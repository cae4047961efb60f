import re

import pytest

from studies.models.participant import Participant
from tests.factories import make_participant
from tests.studies.views.browsers import clinician_in, phone_of

pytestmark = pytest.mark.django_db


def test_staff_say_a_code_and_the_participant_enters_it():
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/"
    page = client.post(f"{address}contact/check/", {"way": "say"}).content.decode()
    code = re.search(r'class="pseudonym">(\d{6})<', page)[1]
    phone = phone_of(participant)
    wrong = phone.post("/me/contact/", {"code": "abc"}).content.decode()
    assert "This code does not fit" in wrong
    assert phone.post("/me/contact/", {"code": f"{code[:3]} {code[3:]}"}).url == "/me/"
    assert Participant.objects.get(pk=participant.pk).contact_verified_at is not None
    assert phone.get("/me/contact/").url == "/me/"
    assert "verified on" in client.get(address).content.decode()


def test_ones_own_word_needs_how_they_were_reached():
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/contact/check/"
    assert "Enter how you reached them" in client.post(address, {"way": "word"}).content.decode()
    answer = client.post(address, {"way": "word", "reason": "called"})
    assert answer.status_code == 302


def test_a_mail_server_that_is_down_is_said_and_nothing_is_lost(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"/clinic/{participant.study.code}/p/{participant.code}/contact/check/"
    page = client.post(address, {"way": "mail"}, follow=True).content.decode()
    assert "The mail could not be sent" in page
