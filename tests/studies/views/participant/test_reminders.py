"""Reminders on a participant's own pages, and the one tap in a mail."""

import pytest
from django.test import Client
from django.urls import reverse

from studies.models.reminder import ReminderChoice
from studies.services.conduct.reminder_mail import token
from tests.factories import make_participant
from tests.studies.views.browsers import phone_of

pytestmark = pytest.mark.django_db


def test_one_tap_in_a_mail_stops_reminders_and_looking_at_it_does_not():
    participant = make_participant("consented")
    address = reverse("studies:mail_stop", args=[token(participant, "ada@example.org")])
    strict = Client(enforce_csrf_checks=True)
    assert "Stop all reminders" in strict.get(address).content.decode()
    assert not ReminderChoice.objects.exists()
    # As a mail program sends it: no page before it, no cookie.
    assert "no more reminders" in strict.post(address).content.decode()
    assert strict.post(address).status_code == 200
    assert ReminderChoice.objects.get().is_stopped


@pytest.mark.parametrize("wrong", ["x", "1:forged", "999999:x"])
def test_a_forged_address_stops_nobodys_reminders(wrong):
    response = Client().post(reverse("studies:mail_stop", args=[wrong]))
    assert response.status_code == 404
    assert not ReminderChoice.objects.exists()


def test_reminders_are_turned_off_and_on_on_the_participants_page():
    participant = make_participant("consented")
    phone = phone_of(participant)
    page = phone.get("/me/reminders/").content.decode()
    assert "at most one a day" in page
    phone.post("/me/reminders/", {"reminders": "off"})
    assert ReminderChoice.objects.get().is_stopped
    phone.post("/me/reminders/", {"reminders": "on"})
    assert not ReminderChoice.objects.get().is_stopped
