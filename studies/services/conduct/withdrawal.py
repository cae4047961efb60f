"""Withdrawal in three widths; everything that was planned stops in the same transaction."""

from django.db import transaction

from studies import clock
from studies.models.consent import Withdrawal, WithdrawalScope
from studies.models.participant import Participant, ParticipantState
from studies.selectors.locks import require_unlocked
from studies.services.cbt.messages import erase_words
from studies.services.entry.access import revoke_links
from studies.services.entry.consent import revoke_consents
from studies.services.entry.identity import erase_identity
from studies.services.music.playlists import cancel_nights
from studies.services.trail.audit import Actor, record
from studies.services.visits.scheduling import cancel_undone


@transaction.atomic
def withdraw_participant(
    *, participant: Participant, scope: str, reason: str, actor: Actor
) -> Withdrawal:
    """Stop the intervention, the contact, or the use of the data; the same scope twice is once.

    ``intervention``: no more music or lessons, the questions go on. ``contact``: everything ends,
    answers so far are kept. ``data``: as contact, answers are left out and the contact is erased.
    Raises DatabaseLocked: who is analysed cannot change when somebody may know the arms.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    require_unlocked(participant.study)
    scope = WithdrawalScope(scope)
    withdrawal, is_new = Withdrawal.objects.get_or_create(
        participant=participant,
        scope=scope,
        defaults={"reason": reason[:200], "withdrawn_at": clock.now()},
    )
    if not is_new:
        return withdrawal
    old = participant.state
    cancel_nights(participant=participant)
    if scope != WithdrawalScope.INTERVENTION:
        _leave(participant, scope, actor)
    if scope == WithdrawalScope.DATA:
        erase_identity(participant=participant, actor=actor)
        erase_words(participant=participant, actor=actor)
    record(
        actor=actor,
        action="withdraw_participant",
        subject=participant,
        old={"state": old},
        new={"state": participant.state, "scope": scope},
        # What somebody gave as their reason may tell who they are: it stays in the one row.
        reason="stated" if reason else "",
    )
    return withdrawal


def _leave(participant: Participant, scope: str, actor: Actor) -> None:
    cancel_undone(participant=participant, actor=actor, reason="withdrawal")
    revoke_links(participant=participant, actor=actor, reason="withdrawal")
    revoke_consents(participant=participant, actor=actor)
    if participant.state != ParticipantState.WITHDRAWN:
        participant.move_to(ParticipantState.WITHDRAWN, state_reason=f"withdrawal: {scope}")
