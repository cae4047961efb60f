"""A minor's parent or guardian: whom staff name, and who then has a private link of their own."""

from django.conf import settings
from django.db import transaction

from studies import clock
from studies.exceptions import GuardianNotNeeded, LanguageUnknown
from studies.models.access import Holder
from studies.models.consent import Guardian
from studies.models.participant import Participant
from studies.services.entry.access import issue_link
from studies.services.entry.consent import ASKABLE
from studies.services.entry.identity import contact_indexes, identity_of, keep_identity
from studies.services.entry.majority import is_of_age
from studies.services.trail.audit import Actor, record


@transaction.atomic
def appoint_guardian(
    *, participant: Participant, name: str, contact: str, language: str, actor: Actor
) -> str:
    """Keep under seal who may permit, and return the token of their link: it is shown once.

    Appointing another replaces the one before, whose link is dead from then on. Raises
    GuardianNotNeeded or LanguageUnknown.
    """
    participant = Participant.objects.select_for_update().get(pk=participant.pk)
    _refuse_unless_minor(participant)
    known = [code for code, _name in settings.LANGUAGES]
    if language not in known:
        raise LanguageUnknown(language, known)
    keep_identity(
        participant=participant, fields={"guardian_name": name, "guardian_contact": contact}
    )
    guardian, _is_new = Guardian.objects.update_or_create(
        participant=participant, defaults={"language": language, "appointed_at": clock.now()}
    )
    record(
        actor=actor,
        action="appoint_guardian",
        subject=guardian,
        new={"language": language, "shares_contact": shares_contact(participant)},
    )
    return issue_link(participant=participant, actor=actor, holder=Holder.GUARDIAN)


@transaction.atomic
def reissue_guardian_link(*, participant: Participant, actor: Actor) -> str:
    """Return a fresh token for the guardian there is; the old link and its PIN are dead."""
    _refuse_unless_minor(participant)
    if not Guardian.objects.filter(participant=participant).exists():
        raise GuardianNotNeeded(participant.code, "has no guardian yet")
    return issue_link(participant=participant, actor=actor, holder=Holder.GUARDIAN)


def shares_contact(participant: Participant) -> bool:
    """Return whether child and guardian can be reached in one and the same way only."""
    known = identity_of(participant)
    pair = [contact_indexes(known.get(name, "")) for name in ("contact", "guardian_contact")]
    return bool(pair[0][0]) and pair[0] == pair[1]


def _refuse_unless_minor(participant: Participant) -> None:
    if participant.state not in ASKABLE:
        raise GuardianNotNeeded(participant.code, f"is {participant.state}")
    if is_of_age(participant):
        raise GuardianNotNeeded(participant.code, "is of age")
