"""The audit trail: written last in the transaction of every change, chained by hash, verifiable.

Lock order is business row, then the head of the chain: `record` comes last, so two steps never wait
for each other crosswise. No name, contact or free text ever enters an entry: people are codes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models, transaction

from studies import clock
from studies.models.audit import AuditEntry, AuditHead
from studies.models.participant import Participant
from studies.models.study import Membership, Study
from studies.models.user import User

SITE_CHAIN = "site"
ROLE_PARTICIPANT, ROLE_SYSTEM, ROLE_STAFF = "participant", "system", "staff"
# Through which fields a row of trial data leads to its study.
PATH_TO_STUDY = ("study", "participant", "visit", "assignment", "stream")
SITE_ZONE = "UTC"

Values = Mapping[str, object]
# What stood there before and what does now.
Change = tuple[Values | None, Values | None]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account's name, a participant's code, or ``system``; and in which role."""

    name: str
    user: User | None = None
    role: str = ""


SYSTEM = Actor("system", role=ROLE_SYSTEM)


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a chain does not hold."""

    number: int
    reason: str


def staff(user: User) -> Actor:
    """Return a member of staff as an actor; the role follows from the study acted in."""
    return Actor(user.get_username(), user)


def participant_actor(participant: Participant) -> Actor:
    """Return a participant as an actor, by code."""
    return Actor(participant.code, role=ROLE_PARTICIPANT)


def record(
    *,
    actor: Actor,
    action: str,
    subject: models.Model,
    old: Values | None = None,
    new: Values | None = None,
    reason: str = "",
    chain: str | None = None,
) -> AuditEntry:
    """Append one entry to the chain of the subject's study, or of the site."""
    return record_each(
        actor=actor,
        action=action,
        subject=subject,
        changes=[(old, new)],
        reason=reason,
        chain=chain,
    )[0]


# Without a savepoint of its own: an entry that cannot be written takes the whole step with it.
@transaction.atomic(savepoint=False)
def record_each(
    *,
    actor: Actor,
    action: str,
    subject: models.Model,
    changes: Sequence[Change],
    reason: str = "",
    chain: str | None = None,
) -> list[AuditEntry]:
    """Append an entry for each change of one subject, in their order, under one lock."""
    study = study_of(subject)
    chain = chain or (study.code if study else SITE_CHAIN)
    head = _locked_head(chain)
    same = {
        "chain": chain,
        "at": clock.now(),
        "actor": actor.name,
        "role": actor.role or _role_in(study, actor.user),
        "zone": _zone_of(subject, study),
        "user": actor.user,
        "action": action,
        "subject_type": subject._meta.label_lower,
        "subject_id": str(subject.pk),
        "reason": reason,
    }
    entries = [_appended(head, old=_plain(old), new=_plain(new), **same) for old, new in changes]
    AuditEntry.objects.bulk_create(entries)
    head.save(update_fields=["length", "hash"])
    return entries


def verify_chain(chain: str) -> list[Break]:
    """Return every break of a chain: numbers missing, hashes that do not fit, an end cut off."""
    breaks: list[Break] = []
    number, previous = 0, ""
    for entry in AuditEntry.objects.filter(chain=chain).order_by("number").iterator():
        number += 1
        if entry.number != number:
            breaks.append(Break(number, f"entry {number} is missing"))
            number = entry.number
        if entry.previous_hash != previous:
            breaks.append(Break(number, "does not follow the entry before it"))
        if entry.hash != entry_hash(entry):
            breaks.append(Break(number, "was altered after it was written"))
        previous = entry.hash
    head = AuditHead.objects.filter(chain=chain).first()
    if head is not None and (head.length, head.hash) != (number, previous):
        breaks.append(Break(head.length, "the end of the chain was cut off"))
    return breaks


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 of an entry's canonical JSON, the previous entry's hash included."""
    text = json.dumps(
        entry_content(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def entry_content(entry: AuditEntry) -> dict[str, object]:
    """Return everything of an entry that its hash stands for."""
    content = {
        "chain": entry.chain,
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "role": entry.role,
        "user": entry.user_id,
        "action": entry.action,
        "subject": [entry.subject_type, entry.subject_id],
        "old": entry.old,
        "new": entry.new,
        "reason": entry.reason,
        "previous": entry.previous_hash,
    }
    if entry.zone:
        # Entries from before zones were kept have none, and their hashes still hold.
        content["zone"] = entry.zone
    return content


def study_of(subject: models.Model | None) -> Study | None:
    """Return the study that a row of trial data belongs to, if any."""
    if subject is None or isinstance(subject, Study):
        return subject
    steps = (step for step in PATH_TO_STUDY if hasattr(subject, step))
    return study_of(getattr(subject, next(steps, ""), None))


def participant_of(subject: models.Model | None) -> Participant | None:
    """Return the participant that a row of trial data belongs to, if any."""
    if subject is None or isinstance(subject, Participant):
        return subject
    steps = (step for step in PATH_TO_STUDY[1:] if hasattr(subject, step))
    return participant_of(getattr(subject, next(steps, ""), None))


def _zone_of(subject: models.Model, study: Study | None) -> str:
    participant = participant_of(subject)
    if participant is not None:
        return participant.zone
    return study.zone if study is not None else SITE_ZONE


def _appended(head: AuditHead, **content: object) -> AuditEntry:
    """Return the next entry after the head, and let the head stand for it; neither is saved."""
    entry = AuditEntry(number=head.length + 1, previous_hash=head.hash, **content)
    entry.hash = entry_hash(entry)
    head.length, head.hash = entry.number, entry.hash
    return entry


def _locked_head(chain: str) -> AuditHead:
    heads = AuditHead.objects.select_for_update()
    # Not first(): there is one at most, and to put it in order costs half as much as to find it.
    try:
        return heads.get(chain=chain)
    except AuditHead.DoesNotExist:
        AuditHead.objects.get_or_create(chain=chain)
        return heads.get(chain=chain)


def _role_in(study: Study | None, user: User | None) -> str:
    if user is None:
        return ROLE_SYSTEM
    roles = Membership.objects.live().filter(study=study, user=user)
    return ", ".join(sorted(set(roles.values_list("role", flat=True)))) or ROLE_STAFF


def _plain(values: Values | None) -> dict[str, object] | None:
    # Through JSON and back: what is hashed now is what the database gives back later.
    return None if values is None else json.loads(json.dumps(values, default=str))
