import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend

from studies import clock
from studies.design.reminders import Why
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.reminder import Reminder, ReminderState
from studies.models.study import ArmKind
from studies.services.conduct.reminder_mail import participant_for, token
from studies.services.conduct.reminders import (
    Round,
    choose_reminders,
    outlook,
    send_due_reminders,
)
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.identity import keep_identity
from studies.services.trail.audit import SYSTEM, participant_actor, verify_chain
from studies.services.visits.scheduling import keep_calendar
from tests.factories import answer_visit, invite, make_participant, make_study
from tests.studies.services.evenings import someone_with

pytestmark = pytest.mark.django_db
# Noon in Berlin.
ALLOCATED_AT = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
WEEK4 = ALLOCATED_AT + timedelta(weeks=4)


class SilentServer(BaseEmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, messages: list) -> int:  # noqa: ARG002 -- Django's name
        raise TimeoutError("timed out")


class PickyServer(BaseEmailBackend):
    """A mail server that takes nobody's mail."""

    def send_messages(self, messages: list) -> int:  # noqa: ARG002 -- Django's name
        raise smtplib.SMTPRecipientsRefused({})


SILENT = f"{__name__}.SilentServer"
PICKY = f"{__name__}.PickyServer"


@pytest.fixture
def participant() -> Participant:
    with clock.at(ALLOCATED_AT):
        return make_participant("allocated", study=make_study(zone="Europe/Berlin"))


def _round(at: datetime) -> Round:
    with clock.at(at):
        keep_calendar()
        return send_due_reminders()


def _visits() -> list[Reminder]:
    return [row for row in Reminder.objects.all() if row.key.startswith("visit:")]


def test_a_visit_that_waits_is_reminded_of_once(participant: Participant) -> None:
    assert _round(WEEK4) == Round(1, 0)
    assert _round(WEEK4) == Round(0, 0)
    assert _round(WEEK4 + timedelta(hours=3)) == Round(0, 0)
    assert len(mail.outbox) == 1
    (row,) = _visits()
    assert (row.state, row.attempts) == (ReminderState.SENT, 1)


@pytest.mark.usefixtures("participant")
def test_nothing_goes_out_at_night_in_the_participants_zone() -> None:
    assert _round(WEEK4.replace(hour=6, minute=50)) == Round(0, 0)  # 08:50, summer time
    assert _round(WEEK4.replace(hour=18, minute=10)) == Round(0, 0)  # 20:10
    assert _round(WEEK4.replace(hour=17, minute=50)) == Round(1, 0)


def test_who_has_answered_is_not_reminded(participant: Participant) -> None:
    with clock.at(WEEK4 - timedelta(days=4)):
        answer_visit(participant, week=4)
    _round(WEEK4)
    assert not any("questions" in message.body for message in mail.outbox)


def test_a_mail_names_nobody_no_arm_and_no_diagnosis(participant: Participant) -> None:
    _round(WEEK4)
    (message,) = mail.outbox
    assert message.to == ["ada@example.org"]
    text = f"{message.subject}\n{message.body}\n{message.extra_headers}".casefold()
    for word in (
        "ada ex", participant.code, "cbt", "lstm", "mcmg", "gamc", "stress", "sleep", "insomnia",
        "trial", participant.study.title,
    ):  # fmt: skip
        assert word.casefold() not in text, word
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_mail_is_in_the_participants_language() -> None:
    with clock.at(ALLOCATED_AT):
        make_participant("allocated", study=make_study(), language="zh-hans")
    _round(WEEK4)
    assert len(mail.outbox) == 1


def test_a_silent_server_loses_nothing_and_doubles_nothing(
    participant: Participant, settings: pytest.FixtureRequest
) -> None:
    good = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = SILENT
    assert _round(WEEK4) == Round(0, 1)
    assert _round(WEEK4 + timedelta(minutes=1)) == Round(0, 0)  # not again at once
    assert _round(WEEK4 + timedelta(minutes=6)) == Round(0, 1)
    (row,) = _visits()
    assert (row.state, row.reason, row.attempts) == (ReminderState.HELD, "server_down", 2)
    settings.EMAIL_BACKEND = good
    assert _round(WEEK4 + timedelta(hours=1)) == Round(1, 0)
    assert _round(WEEK4 + timedelta(hours=2)) == Round(0, 0)
    assert len(mail.outbox) == 1
    assert verify_chain(participant.study.code) == []


def test_one_refused_address_does_not_keep_the_others_waiting(
    settings: pytest.FixtureRequest,
) -> None:
    with clock.at(ALLOCATED_AT):
        study = make_study()
        for _ in range(2):
            make_participant("allocated", study=study)
    settings.EMAIL_BACKEND = PICKY
    failed = _round(WEEK4).failed
    assert failed >= 2
    assert {row.reason for row in _visits()} == {"refused"}


def test_a_sender_that_died_is_followed_by_the_next_one_with_the_same_mail(
    participant: Participant,
) -> None:
    _round(WEEK4)
    first = mail.outbox[0].extra_headers["Message-ID"]
    # As if the sender had been killed between the server's word and its own note.
    _visits()[0].delete()
    Reminder.objects.all().update(sent_at=None)
    assert _round(WEEK4 + timedelta(minutes=11)) == Round(1, 0)
    assert mail.outbox[1].extra_headers["Message-ID"] == first


@pytest.mark.parametrize("scope", ["contact", "data"])
def test_withdrawal_stops_every_reminder_at_once(participant: Participant, scope: str) -> None:
    with clock.at(WEEK4 - timedelta(hours=1)):
        withdraw_participant(participant=participant, scope=scope, reason="", actor=SYSTEM)
    assert _round(WEEK4) == Round(0, 0)
    assert mail.outbox == []


def test_who_stops_the_treatment_is_still_reminded_of_the_questions(
    participant: Participant,
) -> None:
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    assert _round(ALLOCATED_AT + timedelta(days=4)) == Round(0, 0)
    assert _round(WEEK4) == Round(1, 0)


def test_somebody_without_an_address_is_held_back_and_said_so(participant: Participant) -> None:
    keep_identity(participant=participant, fields={"contact": "+49 30 123456"})
    assert _round(WEEK4) == Round(0, 0)
    assert {row.reason for row in _visits()} == {Why.NO_ADDRESS}
    keep_identity(participant=participant, fields={"contact": "ada@example.org"})
    assert _round(WEEK4 + timedelta(hours=1)) == Round(1, 0)


def test_who_wants_none_gets_none_until_they_do(participant: Participant) -> None:
    actor = participant_actor(participant)
    for _ in range(2):
        choose_reminders(participant=participant, is_stopped=True, actor=actor)
    assert _round(WEEK4) == Round(0, 0)
    choose_reminders(participant=participant, is_stopped=False, actor=actor)
    assert _round(WEEK4 + timedelta(hours=1)) == Round(1, 0)
    actions = list(AuditEntry.objects.filter(action__endswith="_reminders").values_list("action"))
    assert actions == [("stop_reminders",), ("start_reminders",)]


def test_who_travels_is_asked_by_the_clock_where_they_are(participant: Participant) -> None:
    Participant.objects.update(zone="America/Los_Angeles")
    assert _round(WEEK4) == Round(0, 0)  # 04:00 there
    assert _round(WEEK4 + timedelta(hours=6)) == Round(1, 0)


@pytest.mark.parametrize("kind", [ArmKind.CBT, ArmKind.MUSIC])
def test_mornings_and_evenings_are_reminded_of_alike_in_every_arm(kind: ArmKind) -> None:
    with clock.at(ALLOCATED_AT):
        someone_with(kind, study=make_study(zone="Europe/Berlin"))
        Participant.objects.exclude(pk=Participant.objects.last().pk).update(state="withdrawn")
    for day in range(1, 8):
        _round(ALLOCATED_AT + timedelta(days=day))
    subjects = [row.key.split(":")[0] for row in Reminder.objects.filter(state="sent")]
    assert subjects.count("diary") == 4
    assert subjects.count("evening") == 1


def test_a_study_without_a_mail_server_says_so(
    participant: Participant, settings: pytest.FixtureRequest
) -> None:
    settings.NOCTURNE_SENDS_MAIL = False
    assert _round(WEEK4) == Round(0, 0)
    assert {row.reason for row in _visits()} == {"no_server"}


def test_the_outlook_tells_what_went_out_and_what_is_to_come(participant: Participant) -> None:
    _round(WEEK4)
    with clock.at(WEEK4 + timedelta(minutes=5)):
        told = {one.step.key: (one.why, one.row is not None) for one in outlook(participant)}
    week4, week8 = participant.visits.filter(week__gt=0).order_by("week")
    assert told[f"visit:{week4.pk}:+0"][1]
    assert told[f"visit:{week4.pk}:-2"] == (Why.PAST, False)
    assert told[f"visit:{week8.pk}:+5"] == (Why.TO_COME, False)


def test_a_token_stops_its_own_readers_reminders_only(participant: Participant) -> None:
    right = token(participant, "ada@example.org")
    assert participant_for(right) == participant
    forged = f"{participant.pk}:forged"
    for wrong in ("", "1", "9" * 40 + ":x", forged, right[:-1], token(participant, "")):
        with pytest.raises(Exception, match="unknown"):
            participant_for(wrong)


def test_people_of_other_states_are_not_written_to() -> None:
    with clock.at(ALLOCATED_AT):
        study = make_study()
        invite(study)
        make_participant("week8", study=study)
    assert _round(WEEK4) == Round(0, 0)
