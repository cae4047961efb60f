"""Adverse events: reported, triaged, followed until they are resolved, closed by a second person.

The clock of seriousness starts when staff learned of the event. Reporting opens an action item with
that due time; while an event is open each follow-up opens the next, so that none is forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from studies import clock
from studies.design.safety import CRITERIA
from studies.exceptions import EventRefused, ReasonMissing, SecondPersonMissing
from studies.models.participant import Participant
from studies.models.safety import (
    ActionItem,
    AdverseEvent,
    EventNote,
    EventState,
    ItemKind,
    Relation,
    Severity,
)
from studies.models.user import User
from studies.selectors.locks import require_unlocked
from studies.services.cbt.words import sha256_of
from studies.services.conduct.items import WAITING, About, finish_item, open_item
from studies.services.trail.audit import record, staff


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an event when it is reported; words name nobody."""

    began_on: date
    words: str
    severity: str
    relation: str
    is_expected: bool = False
    criteria: tuple[str, ...] = ()


@transaction.atomic
def report_event(*, participant: Participant, account: Account, user: User) -> AdverseEvent:
    """Keep an event and start its clock; raises EventRefused, ReasonMissing or DatabaseLocked."""
    participant = Participant.objects.select_for_update(of=("self",)).get(pk=participant.pk)
    require_unlocked(participant.study)
    _refuse_unless_told(participant, account)
    now, plan = clock.now(), participant.study.plan.safety
    hours = plan.serious_hours if account.criteria else plan.triage_hours
    event = AdverseEvent.objects.create(
        participant=participant,
        began_on=account.began_on,
        words=account.words.strip(),
        severity=account.severity,
        relation=account.relation,
        is_expected=account.is_expected,
        criteria=sorted(account.criteria),
        learned_at=now,
        due_at=now + timedelta(hours=hours),
        noted_by=user,
    )
    _note(event, account.words, user)
    _record(event, "report_event", None, user, account.words)
    _open_clock(event, user)
    return event


@transaction.atomic
def triage_event(
    *, event: AdverseEvent, criteria: Iterable[str], words: str, user: User
) -> AdverseEvent:
    """Say after a second look whether an event is serious; one that turns so gets its clock."""
    event, old = _locked(event)
    criteria = _known(criteria)
    was_serious = event.is_serious
    event.move_to(EventState.TRIAGED, criteria=criteria)
    _note(event, words, user)
    _record(event, "triage_event", old, user, words)
    _finish(event, ItemKind.TRIAGE, user, words)
    if event.is_serious and not was_serious:
        hours = event.participant.study.plan.safety.serious_hours
        event.due_at = clock.now() + timedelta(hours=hours)
        event.save(update_fields=["due_at"])
        _open_clock(event, user)
    return event


@transaction.atomic
def follow_event(*, event: AdverseEvent, words: str, user: User) -> AdverseEvent:
    """Add a look at an event that goes on, or came back; the next look is due in some days."""
    if not words.strip():
        raise ReasonMissing("following an event")
    event, old = _locked(event)
    if old != EventState.OPEN:
        event.move_to(EventState.OPEN, ended_on=None, resolved_by=None)
    note = _note(event, words, user)
    _record(event, "follow_event", old, user, words)
    _finish(event, ItemKind.FOLLOW_UP, user, words)
    days = event.participant.study.plan.safety.follow_up_days
    open_item(
        participant=event.participant,
        kind=ItemKind.FOLLOW_UP,
        key=f"follow_up:{event.pk}:{note.number}",
        due_at=clock.now() + timedelta(days=days),
        actor=staff(user),
        about=About(event=event),
    )
    return event


@transaction.atomic
def resolve_event(*, event: AdverseEvent, ended_on: date, words: str, user: User) -> AdverseEvent:
    """Note that an event is over; somebody closes it later."""
    event, old = _locked(event)
    today = clock.today(event.participant.zone)
    if not event.began_on <= ended_on <= today:
        raise EventRefused(f"an end from {event.began_on} to {today}", ended_on)
    event.move_to(EventState.RESOLVED, ended_on=ended_on, resolved_by=user)
    _note(event, words, user)
    _record(event, "resolve_event", old, user, words)
    _finish(event, ItemKind.FOLLOW_UP, user, words)
    return event


@transaction.atomic
def close_event(*, event: AdverseEvent, words: str, user: User) -> AdverseEvent:
    """Close an event for good; a serious one by somebody else than who resolved it.

    Raises SecondPersonMissing, or EventRefused while something about it is still to be done.
    """
    event, old = _locked(event)
    # Whatever stands in the way below takes the move back with the whole transaction.
    event.move_to(EventState.CLOSED)
    if event.is_serious and event.resolved_by_id == user.pk:
        raise SecondPersonMissing("closing a serious event")
    if waiting := event.items.filter(state__in=WAITING).count():
        raise EventRefused("an event about which nothing is to be done", f"{waiting} open items")
    _note(event, words, user)
    _record(event, "close_event", old, user, words)
    return event


def _open_clock(event: AdverseEvent, user: User) -> ActionItem:
    kind = ItemKind.SERIOUS if event.is_serious else ItemKind.TRIAGE
    return open_item(
        participant=event.participant,
        kind=kind,
        key=f"{kind}:{event.pk}",
        due_at=event.due_at,
        actor=staff(user),
        about=About(event=event),
    )


def _finish(event: AdverseEvent, kind: ItemKind, user: User, words: str) -> None:
    for item in event.items.filter(kind=kind, state__in=WAITING):
        finish_item(item=item, user=user, note=words.strip() or str(event.get_state_display()))


def _refuse_unless_told(participant: Participant, account: Account) -> None:
    if not account.words.strip():
        raise ReasonMissing("reporting an event")
    today = clock.today(participant.zone)
    if account.began_on > today:
        raise EventRefused(f"a beginning up to {today}", account.began_on)
    _known(account.criteria)
    for value, choices in ((account.severity, Severity), (account.relation, Relation)):
        if value not in choices.values:
            raise EventRefused(f"one of {', '.join(choices.values)}", value)


def _known(criteria: Iterable[str]) -> list[str]:
    found = sorted(set(criteria))
    if unknown := set(found) - set(CRITERIA):
        raise EventRefused(f"criteria of {', '.join(CRITERIA)}", sorted(unknown))
    return found


def _note(event: AdverseEvent, words: str, user: User) -> EventNote:
    return EventNote.objects.create(
        event=event,
        number=event.notes.count() + 1,
        state=event.state,
        words=words.strip(),
        noted_at=clock.now(),
        noted_by=user,
    )


def _locked(event: AdverseEvent) -> tuple[AdverseEvent, str]:
    rows = AdverseEvent.objects.select_for_update(of=("self",)).select_related("participant__study")
    found = rows.get(pk=event.pk)
    require_unlocked(found.participant.study)
    return found, found.state


def _record(event: AdverseEvent, action: str, old: str | None, user: User, words: str) -> None:
    record(
        actor=staff(user),
        action=action,
        subject=event,
        old=None if old is None else {"state": old},
        new={
            "state": event.state,
            "began_on": event.began_on,
            "ended_on": event.ended_on,
            "severity": event.severity,
            "relation": event.relation,
            "is_expected": event.is_expected,
            "criteria": event.criteria,
            "due_at": event.due_at,
            "words_sha256": sha256_of(words.strip()),
        },
    )
