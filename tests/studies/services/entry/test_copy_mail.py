import logging
import smtplib
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from studies import clock
from studies.design.parts import ConsentPlan
from studies.design.protocol import four_arms
from studies.exceptions import CopyMailRefused
from studies.models.audit import AuditEntry
from studies.models.consent import CopyMail, CopyMailState, WithdrawalScope
from studies.models.study import Study
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.copy_mail import (
    Round,
    copy_mails_of,
    hand_copy_over,
    mail_copy_again,
    send_copies,
)
from studies.services.entry.identity import keep_identity
from studies.services.trail.audit import SYSTEM
from studies.tasks import send_reminders_task
from tests.factories import make_participant, make_study

pytestmark = pytest.mark.django_db


class DeadServer(EmailBackend):
    """A mail server that is down."""

    def send_messages(self, _messages: object) -> int:
        raise smtplib.SMTPServerDisconnected


def states() -> list[str]:
    return list(CopyMail.objects.values_list("state", flat=True))


def test_both_are_mailed_both_copies_once_and_nobody_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    make_participant("consented")
    assert mail.outbox == []
    with caplog.at_level(logging.INFO):
        send_reminders_task()
        send_reminders_task()
    assert sorted(message.to[0] for message in mail.outbox) == (
        ["ada@example.org"] * 2 + ["grace@example.org"] * 2
    )
    assert "copies: 4 sent, 0 could not be" in caplog.text
    assert "example.org" not in caplog.text
    for message in mail.outbox:
        name, content, kind = message.attachments[0]
        assert (name, kind) == ("copy-1.pdf", "application/pdf")
        assert content.startswith(b"%PDF")
        words = (message.subject + message.body + name).lower()
        assert not any(word in words for word in ("ada", "grace", "sleep", "stress", "study"))
    entries = AuditEntry.objects.filter(action="mail_copy")
    assert entries.count() == 4
    assert "example.org" not in str(list(entries.values_list("new", flat=True)))


def test_a_server_that_is_down_holds_nothing_up_and_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    participant = make_participant("consented")
    assert participant.state == "consented"
    assert send_copies() == Round(0, 1)
    assert set(states()) == {CopyMailState.WAITING}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    # One row waits for its next try, the others were not begun.
    assert send_copies() == Round(3, 0)
    with clock.at(clock.now() + timedelta(minutes=6)):
        assert send_copies() == Round(1, 0)
    assert send_copies() == Round(0, 0)


def test_a_server_that_never_answers_is_given_up_in_the_end(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    make_participant("consented")
    CopyMail.objects.update(attempts=11)
    for _turn in range(4):
        assert send_copies() == Round(0, 1)
    assert set(states()) == {CopyMailState.DROPPED}
    assert send_copies() == Round(0, 0)


def test_who_left_or_has_no_address_is_sent_nothing() -> None:
    gone, by_phone = make_participant("consented"), make_participant("consented")
    withdraw_participant(participant=gone, scope=WithdrawalScope.CONTACT, reason="", actor=SYSTEM)
    keep_identity(participant=by_phone, fields={"contact": "+44 20", "guardian_contact": "+44 21"})
    assert send_copies() == Round(0, 0)
    assert mail.outbox == []
    reasons = CopyMail.objects.values_list("consent__participant", "reason").distinct()
    assert set(reasons) == {(gone.pk, "left"), (by_phone.pk, "no_address")}


def test_what_did_not_arrive_is_mailed_again_or_handed_over(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.DeadServer"
    participant = make_participant("consented")
    with pytest.raises(CopyMailRefused, match="got one that is waiting"):
        mail_copy_again(row=CopyMail.objects.first(), actor=SYSTEM)
    CopyMail.objects.update(attempts=11)
    for _turn in range(4):
        send_copies()
    again, handed, *_rest = copy_mails_of(participant)
    mail_copy_again(row=again, actor=SYSTEM)
    hand_copy_over(row=handed, actor=SYSTEM)
    for settle in (mail_copy_again, hand_copy_over):
        with pytest.raises(CopyMailRefused, match="got one that is handed"):
            settle(row=handed, actor=SYSTEM)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send_copies() == Round(1, 0)
    assert sorted(states()) == ["dropped", "dropped", "handed", "sent"]
    (first,) = mail.outbox
    mail_copy_again(row=again, actor=SYSTEM)
    assert send_copies() == Round(1, 0)
    assert first.extra_headers["Message-ID"] != mail.outbox[1].extra_headers["Message-ID"]
    entry = AuditEntry.objects.get(action="hand_copy_over")
    assert (entry.old, entry.new["state"]) == ({"state": "dropped"}, "handed")
    withdraw_participant(
        participant=participant, scope=WithdrawalScope.CONTACT, reason="", actor=SYSTEM
    )
    with pytest.raises(CopyMailRefused):
        mail_copy_again(row=again, actor=SYSTEM)


def test_copies_are_mailed_only_where_the_protocol_says_so_and_never_for_show() -> None:
    quiet = replace(four_arms(1), consent=ConsentPlan(verify_contact=True))
    make_participant("consented", study=make_study(protocol=quiet))
    shown = make_study()
    Study.objects.filter(pk=shown.pk).update(is_synthetic=True)
    make_participant("consented", study=Study.objects.get(pk=shown.pk))
    assert states() == []
