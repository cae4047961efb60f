"""One participant's arm, told before its time: in an emergency, or by accident. Never quietly.

The study's own unblinding, for everybody at once, is in `services/protocol/setup.py`.
"""

import logging

from django.core.mail import send_mail
from django.db import transaction
from django.utils.translation import gettext as _

from studies import clock
from studies.exceptions import NotAllocated, ReasonMissing
from studies.models.participant import Participant
from studies.models.study import Arm, Role, Study
from studies.models.unblinding import Unblinding, UnblindingKind
from studies.services.allocation import arm_of
from studies.services.trail.audit import Actor, record

logger = logging.getLogger(__name__)


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
    transaction.on_commit(lambda: _tell_investigators(participant.study, unblinding))
    return unblinding


def _tell_investigators(study: Study, unblinding: Unblinding) -> None:
    members = study.memberships.live().filter(role=Role.PRINCIPAL_INVESTIGATOR)
    addresses = sorted(
        {address for address in members.values_list("user__email", flat=True) if address}
    )
    if not addresses:
        return
    words = {
        "study": study.code,
        "code": unblinding.participant.code,
        "who": unblinding.unblinded_by,
    }
    try:
        send_mail(
            _("%(study)s: a participant was unblinded") % words,
            _(
                "%(who)s unblinded %(code)s in %(study)s. The reason and what follows from it are "
                "on the participant's page. This message does not tell the arm."
            )
            % words,
            None,
            addresses,
        )
    except OSError:
        # The page of the study shows every unblinding: a mail server that is down hides nothing.
        logger.exception("the notice of an unblinding in %s was not sent", study.code)
