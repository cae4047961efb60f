"""Who a participant is: sealed with a key of their own, and forgotten when that key is destroyed.

The only door to `models/contact.py`. A person's key is itself sealed with the newest of
`NOCTURNE_IDENTITY_KEYS`, which lie outside the database; rotating those seals each person's key
anew and leaves everything else as it is.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from studies import clock
from studies.design import sealing
from studies.design.errors import SealBroken
from studies.exceptions import IdentityErased
from studies.models.contact import ContactDetails, PersonKey
from studies.models.participant import Participant
from studies.models.study import Study
from studies.services.trail.audit import SYSTEM, Actor, record

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many people's keys were sealed anew, and how many needed nothing."""

    renewed: int
    current: int


@transaction.atomic
def keep_identity(*, participant: Participant, fields: Fields) -> None:
    """Keep what tells who somebody is, beside what is kept already; the same name replaces."""
    details = _locked_details(participant)
    known = _opened(participant, details.sealed) if details else {}
    together = {**known, **fields}
    sealed = seal_for(participant, json.dumps(together, ensure_ascii=False).encode())
    ContactDetails.objects.update_or_create(
        participant=participant,
        defaults={
            "sealed": sealed,
            "sealed_at": clock.now(),
            "blind_index": contact_indexes(together.get("contact", ""))[0],
        },
    )


def identity_of(participant: Participant) -> dict[str, str]:
    """Return name, contact and what else is kept; who shows it records why.

    Raises IdentityErased.
    """
    details = ContactDetails.objects.filter(participant=participant).first()
    if details is None:
        raise IdentityErased(participant.code)
    return _opened(participant, details.sealed)


def one_field_of(participants: Iterable[Participant], name: str) -> dict[int, str]:
    """Return what is kept of several people under one name, by their keys; nothing else of them.

    Whoever has none, whose identity is erased, or whose seal is broken, is left out: where many
    people's page is made, one person's broken seal must not take it from all of them.
    """
    keys = [participant.pk for participant in participants]
    own_keys = {
        kept.participant_id: kept for kept in PersonKey.objects.filter(participant__in=keys)
    }
    found = {}
    for details in ContactDetails.objects.filter(participant__in=keys):
        key = own_keys.get(details.participant_id)
        try:
            fields = _opened_by(_unwrapped(key) if key else None, details.sealed)
        except SealBroken:
            continue
        if fields.get(name):
            found[details.participant_id] = fields[name]
    return found


def seal_for(participant: Participant, content: bytes) -> bytes:
    """Return `content` sealed with the participant's own key, which is made when there is none."""
    return sealing.seal_with(_key(participant, make=True), content)


def open_for(participant: Participant, sealed: bytes) -> bytes:
    """Return what was sealed for this participant; raises IdentityErased."""
    return sealing.unseal_with(_key(participant), sealed)


@transaction.atomic
def erase_identity(*, participant: Participant, actor: Actor) -> None:
    """Destroy the participant's key and contact: whatever was sealed for them is lost for good."""
    n_keys, _keys = PersonKey.objects.filter(participant=participant).delete()
    n_contacts, _contacts = ContactDetails.objects.filter(participant=participant).delete()
    if n_keys or n_contacts:
        record(actor=actor, action="erase_identity", subject=participant)


def has_identity(participant: Participant) -> bool:
    """Return whether it is still known who a participant is."""
    return ContactDetails.objects.filter(participant=participant).exists()


def others_with_contact(study: Study, contact: str) -> list[str]:
    """Return the codes of the study's participants who have this contact already."""
    found = ContactDetails.objects.filter(
        participant__study=study, blind_index__in=contact_indexes(contact)
    )
    return list(found.order_by("pk").values_list("participant__code", flat=True))


def contact_indexes(contact: str) -> list[str]:
    """Return the keyed hashes of a contact, the newest key's first, however it was typed."""
    plain = "".join(mark for mark in contact.casefold() if mark.isalnum() or mark in "@+")
    return sealing.blind_indexes(plain, _secrets()) if plain else [""]


def rotate_identity_keys() -> Rotated:
    """Seal every person's key with the newest secret; stopped half-way, it goes on next time."""
    renewed = current = 0
    for pk in ContactDetails.objects.order_by("pk").values_list("pk", flat=True):
        is_renewed = _rotate_one(pk)
        renewed, current = renewed + is_renewed, current + (not is_renewed)
    return Rotated(renewed, current)


@transaction.atomic
def _rotate_one(pk: int) -> bool:
    details = ContactDetails.objects.select_for_update().filter(pk=pk).first()
    if details is None:
        return False
    participant = details.participant
    key = PersonKey.objects.select_for_update().filter(participant=participant).first()
    if key is not None and sealing.is_newest(key.sealed, _secrets(), sealing.PERSON_KEY):
        return False
    fields = _opened(participant, details.sealed)
    if key is not None:
        key.sealed = _wrapped(_unwrapped(key))
        key.save(update_fields=["sealed"])
    keep_identity(participant=participant, fields=fields)
    record(actor=SYSTEM, action="rotate_identity_key", subject=participant)
    return True


def _locked_details(participant: Participant) -> ContactDetails | None:
    return ContactDetails.objects.select_for_update().filter(participant=participant).first()


def _opened(participant: Participant, sealed: bytes) -> dict[str, str]:
    kept = PersonKey.objects.filter(participant=participant).first()
    return _opened_by(_unwrapped(kept) if kept else None, sealed)


def _opened_by(key: bytes | None, sealed: bytes) -> dict[str, str]:
    if key is None:
        # From before people had keys of their own; the next rotation gives them one.
        return sealing.unseal_fields(sealed, _secrets(), sealing.IDENTITY)
    return json.loads(sealing.unseal_with(key, sealed))


def _key(participant: Participant, *, make: bool = False) -> bytes:
    kept = PersonKey.objects.filter(participant=participant).first()
    if kept is not None:
        return _unwrapped(kept)
    if not make:
        raise IdentityErased(participant.code)
    key = sealing.new_key()
    PersonKey.objects.create(participant=participant, sealed=_wrapped(key), made_at=clock.now())
    return key


def _wrapped(key: bytes) -> bytes:
    return sealing.seal(key, _secrets(), sealing.PERSON_KEY)


def _unwrapped(kept: PersonKey) -> bytes:
    return sealing.unseal(kept.sealed, _secrets(), sealing.PERSON_KEY)


def _secrets() -> list[str]:
    return settings.NOCTURNE_IDENTITY_KEYS.split(",")
