"""An answer to a consent text from somebody who may be in the study already.

A no from somebody who was asked again ends their part as they would end it themselves: everything
stops, and the answers so far are kept.
"""

from django.db import transaction

from studies.exceptions import MoveRefused
from studies.models.consent import Consent, ConsentRole, ConsentState, ConsentText, WithdrawalScope
from studies.models.participant import TAKES_PART, Participant
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.entry.access import guardian_actor
from studies.services.entry.consent import give_consent
from studies.services.trail.audit import Actor, participant_actor


@transaction.atomic
def answer_consent(
    *, participant: Participant, text: ConsentText, agreed: bool, role: str, signed_as: str = ""
) -> Consent:
    """Keep the answer; raises as `give_consent`."""
    consent = give_consent(
        participant=participant, text=text, agreed=agreed, role=role, signed_as=signed_as
    )
    participant.refresh_from_db()
    if not agreed and participant.state in TAKES_PART:
        _stop(participant, _actor(participant, role))
    return consent


@transaction.atomic
def take_permission_back(*, participant: Participant) -> None:
    """End a minor's part because the guardian no longer permits it."""
    permission = participant.consents.filter(
        role=ConsentRole.PERMISSION, state=ConsentState.AGREED
    ).first()
    if permission is None:
        raise MoveRefused(
            f"a permission that holds was expected for {participant.code}, got none. "
            "Nothing was changed."
        )
    _stop(participant, guardian_actor(participant))


def _stop(participant: Participant, actor: Actor) -> None:
    withdraw_participant(
        participant=participant, scope=WithdrawalScope.CONTACT, reason="", actor=actor
    )


def _actor(participant: Participant, role: str) -> Actor:
    is_guardian = role == ConsentRole.PERMISSION
    return guardian_actor(participant) if is_guardian else participant_actor(participant)
