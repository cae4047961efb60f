"""One participant's arm, told before its time: in an emergency, or by accident. Never quietly.

The study's own unblinding, for everybody at once, is in `services/protocol/setup.py`.
"""

import logging
from enum import StrEnum

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from studies import clock
from studies.exceptions import NotAllocated, ReasonMissing
from studies.models.participant import Participant
from studies.models.study import Arm, Role
from studies.models.unblinding import Unblinding, UnblindingKind
from studies.services.allocation import arm_of
from studies.services.trail.audit import SYSTEM, Actor, record

logger = logging.getLogger(__name__)
SALT = "nocturne.unblinding"
ID_LENGTH = 40


class Notice(StrEnum):
    """What became of a mail to the principal investigators."""

    SENT = "sent"
    NO_ADDRESS = "no_address"
    NO_SERVER = "no_server"
    SERVER_DOWN = "server_down"


@transaction.atomic
def break_blind(*, participant: Participant, reason: str, impact: str, actor: Actor) -> Arm:
    """Return one participant's arm in an emergency; it is recorded, and the investigator told.

    No other slot is touched. The caller has asked for password and second factor just before.
    """
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    arm = arm_of(participant)
    if arm is None:
        raise NotAllocated(participant.code)
    _unblind(participant, UnblindingKind.EMERGENCY, reason, impact, actor)
    return arm


@transaction.atomic
def report_unblinding(
    *, participant: Participant, reason: str, impact: str, actor: Actor
) -> Unblinding:
    """Record that somebody learned a participant's arm by accident; nothing is told."""
    if arm_of(participant) is None:
        raise NotAllocated(participant.code)
    return _unblind(participant, UnblindingKind.ACCIDENTAL, reason, impact, actor)


def _unblind(
    participant: Participant, kind: str, reason: str, impact: str, actor: Actor
) -> Unblinding:
    if not reason.strip() or not impact.strip():
        raise ReasonMissing("unblinding a participant, and what follows from it")
    unblinding = Unblinding.objects.create(
        participant=participant,
        kind=kind,
        reason=reason.strip(),
        impact=impact.strip(),
        unblinded_at=clock.now(),
        unblinded_by=actor.name,
    )
    record(
        actor=actor,
        action="unblind_participant",
        subject=participant,
        # Reason and impact may tell more than the trail's readers should know: the row has them.
        new={"unblinding": unblinding.pk, "kind": kind},
        reason="stated",
    )
    # Robust: the arm is told to who asked, whatever becomes of the notice.
    transaction.on_commit(
        lambda: tell_investigators(unblinding=unblinding, actor=SYSTEM), robust=True
    )
    return unblinding


def tell_investigators(*, unblinding: Unblinding, actor: Actor) -> Notice:
    """Mail the principal investigators that somebody was unblinded; return what became of it.

    Every attempt is recorded. Once they were told nothing goes out again; two who send at the same
    moment send the same mail, which has one identifier.
    """
    unblinding.refresh_from_db()
    if unblinding.told_at is not None:
        return Notice.SENT
    # Outside a transaction: a mail server that hangs holds no lock.
    became = _mailed(unblinding)
    with transaction.atomic():
        row = Unblinding.objects.select_for_update(of=("self",)).get(pk=unblinding.pk)
        if became == Notice.SENT and row.told_at is None:
            row.told_at = clock.now()
            row.save(update_fields=["told_at"])
        record(
            actor=actor,
            action="tell_investigators",
            subject=row.participant,
            new={"unblinding": row.pk, "became": became},
        )
    return became


def _mailed(unblinding: Unblinding) -> Notice:
    study = unblinding.participant.study
    members = study.memberships.live().filter(role=Role.PRINCIPAL_INVESTIGATOR)
    addresses = sorted(
        {address for address in members.values_list("user__email", flat=True) if address}
    )
    if not addresses:
        return Notice.NO_ADDRESS
    if not settings.NOCTURNE_SENDS_MAIL:
        return Notice.NO_SERVER
    words = {
        "study": study.code,
        "code": unblinding.participant.code,
        "who": unblinding.unblinded_by,
    }
    identifier = salted_hmac(SALT, str(unblinding.pk), algorithm="sha256").hexdigest()[:ID_LENGTH]
    message = EmailMessage(
        subject=_("%(study)s: a participant was unblinded") % words,
        body=_(
            "%(who)s unblinded %(code)s in %(study)s. The reason and what follows from it are "
            "on the study's page of unblinded participants. This message does not tell the arm."
        )
        % words,
        to=addresses,
        headers={"Message-ID": f"<{identifier}@nocturne.invalid>"},
    )
    try:
        message.send()
    except OSError:
        # A mail server that is down hides nothing: the page shows what was not sent.
        logger.exception("the notice of an unblinding in %s was not sent", study.code)
        return Notice.SERVER_DOWN
    return Notice.SENT
