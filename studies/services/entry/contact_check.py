"""Whether a participant can be reached: a code sent or spoken and entered, or staff's own word.

Who cannot be reached is lost before the study begins: where the protocol says so, only a verified
contact is allocated. A code lives ten minutes, is kept as a hash, and works once.
"""

import secrets
from datetime import timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.forms import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _

from studies import clock
from studies.exceptions import ContactCodeRefused, ContactNotMailable, ReasonMissing
from studies.models.access import ContactCode
from studies.models.participant import Participant
from studies.services.entry.identity import identity_of
from studies.services.trail.audit import Actor, participant_actor, record

LIVES = timedelta(minutes=10)
TRIES = 5
DIGITS = 6


@transaction.atomic
def speak_code(*, participant: Participant, actor: Actor) -> str:
    """Return a fresh code for staff to say on the telephone; older ones are dead."""
    return _issue(participant, actor, "spoken")


def mail_code(*, participant: Participant, actor: Actor) -> None:
    """Send a fresh code to the participant's address; raises ContactNotMailable."""
    with transaction.atomic():
        code = _issue(participant, actor, "mailed")
        # Read under the lock: a code for a contact that is just being corrected is none.
        address = _address(participant)
    # Outside the transaction: a mail server that hangs holds no lock.
    with translation.override(participant.language):
        send_mail(
            _("Your code: %(code)s") % {"code": code},
            _("Enter this code on your private page within ten minutes: %(code)s") % {"code": code},
            None,
            [address],
        )


def enter_code(*, participant: Participant, code: str) -> None:
    """Take the code that reached the participant; raises ContactCodeRefused."""
    # Raised outside the transaction: a wrong try counts.
    if (refusal := _try(participant, code)) is not None:
        raise refusal


@transaction.atomic
def confirm_contact(*, participant: Participant, actor: Actor, reason: str) -> None:
    """Keep staff's word that they reached the participant by this contact, and how."""
    if not reason.strip():
        raise ReasonMissing("confirming a contact")
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    _verify(participant, actor, "staff", reason)


def verify_anew(participant: Participant) -> None:
    """Let a contact that changed be verified again; codes for the old one are dead.

    The caller holds the participant's row and records the change.
    """
    _kill_codes(participant)
    participant.contact_verified_at = None
    participant.save(update_fields=["contact_verified_at"])


def code_waits(participant: Participant) -> bool:
    """Return whether a code is on its way that can still be entered."""
    return _live(participant) is not None


@transaction.atomic
def _try(participant: Participant, code: str) -> ContactCodeRefused | None:
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    if participant.contact_verified_at is not None:
        return None
    live = _live(participant)
    if live is None:
        return ContactCodeRefused("none that lives")
    live.tries += 1
    is_right = check_password(code, live.code_hash)
    live.used_at = clock.now() if is_right else None
    live.save(update_fields=["tries", "used_at"])
    actor = participant_actor(participant)
    if is_right:
        _verify(participant, actor, live.way, "")
        return None
    record(actor=actor, action="enter_wrong_code", subject=live, new={"tries": live.tries})
    return ContactCodeRefused("another one")


def _issue(participant: Participant, actor: Actor, way: str) -> str:
    Participant.objects.select_for_update().get(pk=participant.pk)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    now = clock.now()
    _kill_codes(participant)
    issued = ContactCode.objects.create(
        participant=participant,
        way=way,
        code_hash=make_password(code),
        issued_at=now,
        expires_at=now + LIVES,
    )
    record(actor=actor, action="issue_contact_code", subject=issued, new={"way": way})
    return code


def _kill_codes(participant: Participant) -> None:
    now = clock.now()
    ContactCode.objects.filter(participant=participant, expires_at__gt=now).update(expires_at=now)


def _address(participant: Participant) -> str:
    address = identity_of(participant).get("contact", "")
    try:
        validate_email(address)
    except ValidationError as error:
        raise ContactNotMailable(participant.code) from error
    return address


def _live(participant: Participant) -> ContactCode | None:
    codes = ContactCode.objects.filter(
        participant=participant, used_at=None, expires_at__gt=clock.now(), tries__lt=TRIES
    )
    return codes.order_by("pk").last()


def _verify(participant: Participant, actor: Actor, way: str, reason: str) -> None:
    if participant.contact_verified_at is not None:
        return
    participant.contact_verified_at = clock.now()
    participant.save(update_fields=["contact_verified_at"])
    record(
        actor=actor,
        action="verify_contact",
        subject=participant,
        new={"way": way},
        reason=reason[:500],
    )
