"""Action items: something that somebody must look at by a time, with an owner, until it is done.

An item is opened once for what it is about, and nothing but a person's act ends it: not time, not a
mail. What is overdue goes to a principal investigator and stays on top of everybody's list.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from studies import clock
from studies.design.roles import Ability, RoleName, roles_with
from studies.exceptions import IdentityErased, ReasonMissing
from studies.models.participant import Participant
from studies.models.safety import ActionItem, AdverseEvent, ItemKind, ItemState
from studies.models.study import Membership
from studies.models.user import User
from studies.models.visit import Assessment
from studies.services.entry.identity import open_for, seal_for
from studies.services.trail.audit import SYSTEM, Actor, participant_actor, record, staff

WORDS_AT_MOST = 1000
# The same words within this time are one press of the button.
ONE_PRESS = timedelta(minutes=10)
WAITING = (ItemState.NEW, ItemState.ACKNOWLEDGED, ItemState.ESCALATED)


@dataclass(frozen=True, slots=True)
class About:
    """What an item is about, beside its participant."""

    event: AdverseEvent | None = None
    assessment: Assessment | None = None
    told: str = ""
    words: str = ""


@transaction.atomic
def open_item(
    *,
    participant: Participant,
    kind: ItemKind,
    key: str,
    due_at: datetime,
    actor: Actor = SYSTEM,
    about: About | None = None,
) -> ActionItem:
    """Open an item unless there is one for the same thing; return it."""
    Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    about = about or About()
    sealed = seal_for(participant, about.words.encode()) if about.words else None
    item, is_new = ActionItem.objects.get_or_create(
        key=key,
        defaults={
            "participant": participant,
            "kind": kind,
            "event": about.event,
            "assessment": about.assessment,
            "told": about.told[:200],
            "sealed": sealed,
            "owner": owner_for(participant),
            "opened_at": clock.now(),
            "due_at": due_at,
        },
    )
    if is_new:
        _record(item, "open_item", actor, None)
    return item


@transaction.atomic
def say_not_ok(*, participant: Participant, words: str = "") -> ActionItem:
    """Open an item for somebody who is not OK; pressing twice is once."""
    Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    words, now = words.strip()[:WORDS_AT_MOST], clock.now()
    digest = hashlib.sha256(words.encode()).hexdigest()[:16]
    before = ActionItem.objects.filter(
        participant=participant,
        kind=ItemKind.NOT_OK,
        key__endswith=f":{digest}",
        opened_at__gt=now - ONE_PRESS,
    ).first()
    if before is not None:
        return before
    hours = participant.study.plan.safety.not_ok_hours
    return open_item(
        participant=participant,
        kind=ItemKind.NOT_OK,
        key=f"not_ok:{participant.pk}:{now.timestamp():.6f}:{digest}",
        due_at=now + timedelta(hours=hours),
        actor=participant_actor(participant),
        about=About(words=words),
    )


@transaction.atomic
def acknowledge_item(*, item: ActionItem, user: User) -> ActionItem:
    """Note that somebody has seen it; it is theirs from now on."""
    item, old = _locked(item)
    item.move_to(ItemState.ACKNOWLEDGED, seen_at=clock.now(), owner=user)
    _record(item, "acknowledge_item", staff(user), old)
    return item


@transaction.atomic
def finish_item(*, item: ActionItem, user: User, note: str) -> ActionItem:
    """End an item with what was done; raises ReasonMissing without it."""
    if not note.strip():
        raise ReasonMissing("ending an action item")
    item, old = _locked(item)
    item.move_to(ItemState.DONE, done_at=clock.now(), done_by=user, note=note.strip())
    _record(item, "finish_item", staff(user), old, note.strip())
    return item


def escalate_overdue() -> int:
    """Pass on every item whose time has come without an end; return how many."""
    overdue = ActionItem.objects.filter(
        state__in=(ItemState.NEW, ItemState.ACKNOWLEDGED), due_at__lte=clock.now()
    )
    return sum(_escalate(pk) for pk in overdue.values_list("pk", flat=True))


def words_of(item: ActionItem) -> str:
    """Return what the participant wrote; nothing where they wrote nothing, or it was erased."""
    try:
        return open_for(item.participant, item.sealed).decode() if item.sealed else ""
    except IdentityErased:
        return ""


def owner_for(participant: Participant) -> User | None:
    """Return who is on call for somebody: at their own site first, else for the whole study."""
    able = Membership.objects.live().filter(
        study=participant.study,
        role__in=roles_with(Ability.HANDLE_SAFETY),
        user__is_active=True,
    )
    here = able.filter(is_on_call=True, site=participant.site) | able.filter(
        is_on_call=True, site=None
    )
    found = here.order_by(F("site").asc(nulls_last=True), "pk").select_related("user").first()
    return found.user if found else _investigator(participant)


def _investigator(participant: Participant) -> User | None:
    leads = Membership.objects.live().filter(
        study=participant.study, role=RoleName.PRINCIPAL_INVESTIGATOR, user__is_active=True
    )
    found = leads.order_by("pk").select_related("user").first()
    return found.user if found else None


@transaction.atomic
def _escalate(pk: int) -> bool:
    item = ActionItem.objects.select_for_update(of=("self",)).get(pk=pk)
    if item.state not in {ItemState.NEW, ItemState.ACKNOWLEDGED} or item.due_at > clock.now():
        return False
    old = item.state
    owner = _investigator(item.participant) or item.owner
    item.move_to(ItemState.ESCALATED, owner=owner)
    _record(item, "escalate_item", SYSTEM, old)
    return True


def _locked(item: ActionItem) -> tuple[ActionItem, str]:
    rows = ActionItem.objects.select_for_update(of=("self",)).select_related("participant__study")
    found = rows.get(pk=item.pk)
    return found, found.state


def _record(item: ActionItem, action: str, actor: Actor, old: str | None, note: str = "") -> None:
    record(
        actor=actor,
        action=action,
        subject=item,
        old=None if old is None else {"state": old},
        new={
            "kind": item.kind,
            "state": item.state,
            "told": item.told,
            "due_at": item.due_at,
            "owner": item.owner.get_username() if item.owner else "",
            "note_sha256": hashlib.sha256(note.encode()).hexdigest() if note else "",
        },
    )
