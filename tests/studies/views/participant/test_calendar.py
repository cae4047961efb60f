"""The file of the days to come, for the participant's own calendar."""

from datetime import UTC, datetime, timedelta

import pytest

from studies import clock
from studies.models.consent import WithdrawalScope
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import phone_of, short_plan

pytestmark = pytest.mark.django_db
PAGE = "/me/calendar/"
ALLOCATED_AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def _unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_the_days_to_come_go_into_a_calendar_without_a_word_on_health_or_person() -> None:
    with clock.at(ALLOCATED_AT):
        study = make_study(protocol=short_plan(), zone="Europe/Berlin")
        participant = make_participant("allocated", study=study)
        phone = phone_of(participant)
        phone.get("/me/group/")
        assert PAGE in phone.get("/me/").content.decode()
        assert PAGE in phone.get("/me/reminders/").content.decode()
        response = phone.get(PAGE)
        again = phone.get(PAGE)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="days.ics"'
    text = response.content.decode()
    lines = _unfolded(text)
    assert [line for line in lines if line.startswith(("DTSTART", "DTEND"))] == [
        "DTSTART:20260324T230000Z",
        "DTEND:20260404T220000Z",
        "DTSTART:20260421T220000Z",
        "DTEND:20260502T220000Z",
    ]
    assert "DESCRIPTION:Open your private page on any day from 25 March to 4 April." in lines
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == 2
    assert uids == [line for line in _unfolded(again.content.decode()) if line.startswith("UID:")]
    told = text.lower()
    known = (participant.code, study.code, study.title, participant.url_token, "Ada Example")
    assert not any(word.lower() in told for word in (*known, "sleep", "stress", "cpss", "study"))


def test_what_is_over_or_answered_is_in_no_calendar() -> None:
    participant = make_participant("week4")
    with clock.at(clock.now() + timedelta(minutes=1)):
        phone = phone_of(participant)
        assert phone.get(PAGE).content.decode().count("BEGIN:VEVENT") == 1
        withdraw_participant(
            participant=participant, scope=WithdrawalScope.INTERVENTION, reason="", actor=SYSTEM
        )
        assert phone.get(PAGE).status_code == 200
    with clock.at(clock.now() + timedelta(weeks=10)):
        assert phone_of(participant).get(PAGE).url == "/me/"
    baseline = phone_of(make_participant("consented"))
    assert baseline.get(PAGE).url == "/me/"
