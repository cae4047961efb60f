"""Signed copies by mail: to the participant and the guardian, when the mail server lets us.

A yes only notes who is to get a copy; the scheduler sends, so that no mail server holds up a
consent. A row is claimed under its lock before the mail leaves, and a server that is down or silent
is tried again, later each time. What is true when it is sent decides: whoever left gets nothing.
What did not arrive in the end waits for staff, who send it again or hand the copy over.
"""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from studies import clock
from studies.exceptions import CopyMailRefused, IdentityErased
from studies.models.access import Holder
from studies.models.consent import ConsentState, CopyMail, CopyMailState, Guardian
from studies.models.participant import Participant, ParticipantState
from studies.services.entry.copies import copies_of, copy_of
from studies.services.entry.identity import identity_of
from studies.services.trail.audit import SYSTEM, Actor, record

SALT = "nocturne.copies"
ID_LENGTH = 40
# How long a sender may be silent before its claim goes to another one.
LEASE = timedelta(minutes=10)
RETRY, RETRY_AT_MOST = timedelta(minutes=5), timedelta(hours=4)
TRIES = 12
CONTACTS = {Holder.PARTICIPANT: "contact", Holder.GUARDIAN: "guardian_contact"}
NO_ADDRESS, LEFT, UNREACHED = "no_address", "left", "unreached"


@dataclass(frozen=True, slots=True)
class Round:
    """How many copies left, and how many could not."""

    sent: int
    failed: int


def plan_copy_mails(participant: Participant) -> None:
    """Note who is to get which copy, where the protocol mails them; twice is once."""
    study = participant.study
    if study.is_synthetic or not study.plan.consent.mail_copies:
        return
    holders = [Holder.PARTICIPANT]
    if Guardian.objects.filter(participant=participant).exists():
        holders.append(Holder.GUARDIAN)
    agreed = participant.consents.filter(state=ConsentState.AGREED).exclude(copy_sha256="")
    for consent in agreed:
        for holder in holders:
            CopyMail.objects.get_or_create(
                consent=consent, holder=holder, defaults={"planned_at": clock.now()}
            )


def send_copies() -> Round:
    """Send the copies that wait; a server that does not answer ends the round."""
    sent = failed = 0
    if not settings.NOCTURNE_SENDS_MAIL:
        return Round(0, 0)
    for key in _waiting():
        row = _claim(key)
        if row is None:
            continue
        try:
            message = _compose(row)
        except (IdentityErased, ValidationError):
            _end(row, CopyMailState.DROPPED, NO_ADDRESS)
            continue
        try:
            get_connection(fail_silently=False).send_messages([message])
        except smtplib.SMTPRecipientsRefused:
            failed += 1
            _try_later(row)
        except (OSError, smtplib.SMTPException):
            _try_later(row)
            return Round(sent, failed + 1)
        else:
            sent += 1
            _end(row, CopyMailState.SENT, "")
    return Round(sent, failed)


def copy_mails_of(participant: Participant) -> list[CopyMail]:
    """Return the mails of somebody's signed copies, the newest copy first."""
    rows = CopyMail.objects.filter(consent__participant=participant)
    return list(rows.select_related("consent__text").order_by("-consent__answered_at", "holder"))


def may_be_settled(row: CopyMail) -> bool:
    """Return whether staff may send a copy again or hand it over: whoever left gets none."""
    return row.state != CopyMailState.HANDED and _is_wanted(row)


@transaction.atomic
def mail_copy_again(*, row: CopyMail, actor: Actor) -> None:
    """Let a copy go out once more with the next round.

    Raises CopyMailRefused while it waits to be mailed anyhow, and of somebody who left.
    """
    row = CopyMail.objects.select_for_update().get(pk=row.pk)
    if row.state == CopyMailState.WAITING or not may_be_settled(row):
        raise CopyMailRefused(row.state)
    before = row.state
    # Asked for anew: another mail than the one that did not arrive.
    row.state, row.reason, row.sent_at = CopyMailState.WAITING, "", None
    row.planned_at, row.attempts, row.next_try_at = clock.now(), 0, None
    row.save()
    _record(row, "mail_copy_again", actor, old={"state": before})


@transaction.atomic
def hand_copy_over(*, row: CopyMail, actor: Actor) -> None:
    """Keep that somebody was given their copy by hand; no mail goes out any more.

    Raises CopyMailRefused where that is known already, and of somebody who left.
    """
    row = CopyMail.objects.select_for_update().get(pk=row.pk)
    if not may_be_settled(row):
        raise CopyMailRefused(row.state)
    before = row.state
    row.state, row.reason, row.next_try_at = CopyMailState.HANDED, "", None
    row.save(update_fields=["state", "reason", "next_try_at"])
    _record(row, "hand_copy_over", actor, old={"state": before})


def _waiting() -> Iterator[int]:
    rows = CopyMail.objects.filter(state=CopyMailState.WAITING).order_by("pk")
    due = rows.exclude(next_try_at__gt=clock.now())
    return iter(list(due.values_list("pk", flat=True)))


@transaction.atomic
def _claim(key: int) -> CopyMail | None:
    """Take a row for this sender; nothing where another has it, or nothing is to be sent now."""
    row = CopyMail.objects.select_for_update().get(pk=key)
    now = clock.now()
    if row.state != CopyMailState.WAITING or (row.next_try_at and row.next_try_at > now):
        return None
    if not _is_wanted(row):
        _end(row, CopyMailState.DROPPED, LEFT)
        return None
    row.attempts, row.next_try_at = row.attempts + 1, now + LEASE
    row.save(update_fields=["attempts", "next_try_at"])
    return row


def _is_wanted(row: CopyMail) -> bool:
    participant = row.consent.participant
    has_left = participant.state == ParticipantState.WITHDRAWN
    return not has_left and row.consent in copies_of(participant)


def _compose(row: CopyMail) -> EmailMessage:
    participant = row.consent.participant
    address = identity_of(participant).get(CONTACTS[row.holder], "").strip()
    validate_email(address)
    is_own = row.holder == Holder.PARTICIPANT
    language = participant.language if is_own else participant.guardian.language
    with translation.override(language):
        lines = [
            _("Hello,"),
            _("Attached is a copy of what was agreed to. Keep it for yourself."),
            _("You also find it on your private page."),
        ]
        title = _("A copy for you")
    message = EmailMessage(
        subject=title,
        body="\n\n".join(lines) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Message-ID": f"<{_message_id(row)}@nocturne.invalid>"},
    )
    # No name in the file's name: it may lie about on a shared computer.
    name = f"copy-{row.consent.text.version}.pdf"
    message.attach(name, copy_of(row.consent), "application/pdf")
    return message


def _message_id(row: CopyMail) -> str:
    """Return what makes the same mail the same mail, should its sender die and it be sent twice."""
    key = f"{row.consent_id}:{row.holder}:{row.planned_at.isoformat()}"
    return salted_hmac(SALT, key, algorithm="sha256").hexdigest()[:ID_LENGTH]


def _try_later(row: CopyMail) -> None:
    if row.attempts >= TRIES:
        _end(row, CopyMailState.DROPPED, UNREACHED)
        return
    wait = min(RETRY * 2 ** (row.attempts - 1), RETRY_AT_MOST)
    row.next_try_at = clock.now() + wait
    row.save(update_fields=["next_try_at"])


@transaction.atomic
def _end(row: CopyMail, state: CopyMailState, reason: str) -> None:
    if CopyMail.objects.select_for_update().get(pk=row.pk).state == CopyMailState.HANDED:
        # Handed over while the mail server was asked: what staff have written stays.
        return
    row.state, row.reason, row.next_try_at = state, reason, None
    row.sent_at = clock.now() if state == CopyMailState.SENT else None
    row.save(update_fields=["state", "reason", "next_try_at", "sent_at"])
    _record(row, "mail_copy", SYSTEM)


def _record(row: CopyMail, action: str, actor: Actor, old: dict[str, object] | None = None) -> None:
    record(
        actor=actor,
        action=action,
        subject=row,
        old=old,
        new={
            "state": row.state,
            "reason": row.reason,
            "holder": row.holder,
            "attempts": row.attempts,
            "copy_sha256": row.consent.copy_sha256,
        },
    )
