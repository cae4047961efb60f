"""A contact that is not right: corrected by staff, and whatever the old one was sent dies.

Who reads mail at an address that was mistyped is a stranger. Their private link, their code and the
link in a reminder open nothing from then on (a reminder's is sealed for one address), and the new
contact is verified anew. The trail has whose contact it was and why, neither the old nor the new.
"""

from enum import StrEnum

from django.db import transaction

from studies.exceptions import GuardianNotNeeded
from studies.models.access import Holder
from studies.models.consent import Guardian
from studies.models.participant import Participant, Screening
from studies.selectors.locks import require_unlocked
from studies.services.entry.access import issue_link, revoke_links
from studies.services.entry.contact_check import verify_anew
from studies.services.entry.identity import contact_indexes, identity_of, keep_identity
from studies.services.trail.audit import Actor, record

FIELDS = {Holder.PARTICIPANT: "contact", Holder.GUARDIAN: "guardian_contact"}


class Cause(StrEnum):
    """Why a contact is corrected; chosen and not written, so that no address gets into a reason."""

    MISTYPED = "mistyped"
    CHANGED = "changed"


@transaction.atomic
def correct_contact(
    *, participant: Participant, holder: str, contact: str, cause: str, actor: Actor
) -> str:
    """Keep another contact of a participant or their guardian; the same again changes nothing.

    Returns the token of a fresh link, shown once, where a link was open; otherwise nothing. Raises
    DatabaseLocked, IdentityErased, or GuardianNotNeeded where no guardian is named.
    """
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    require_unlocked(participant.study)
    holder, cause, contact = Holder(holder), Cause(cause), contact.strip()
    known = identity_of(participant)
    if holder == Holder.GUARDIAN and not has_guardian(participant):
        raise GuardianNotNeeded(participant.code, "has no guardian yet")
    if known.get(FIELDS[holder]) == contact:
        return ""
    keep_identity(participant=participant, fields={FIELDS[holder]: contact})
    if holder == Holder.PARTICIPANT:
        verify_anew(participant)
        # Somebody who tries to enter again is recognised by what is right.
        index = contact_indexes(contact)[0]
        Screening.objects.filter(participant=participant).update(blind_index=index)
    n_revoked = revoke_links(
        participant=participant, actor=actor, reason="contact corrected", holders=[holder]
    )
    record(
        actor=actor,
        action="correct_contact",
        subject=participant,
        new={"holder": holder},
        reason=cause,
    )
    return issue_link(participant=participant, actor=actor, holder=holder) if n_revoked else ""


def has_guardian(participant: Participant) -> bool:
    """Return whether somebody was named who may permit."""
    return Guardian.objects.filter(participant=participant).exists()
