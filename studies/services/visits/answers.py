"""Keep one answer and write into the audit trail what stood there before.

Words that a participant typed freely may name somebody, so the trail holds their SHA-256 only:
enough to show that they changed, nothing to read.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models, transaction

from questionnaires.instruments.instrument import Item, Kind
from questionnaires.models import Response
from questionnaires.services import Given, SavedAnswer
from questionnaires.services import decline_answer as decline
from questionnaires.services import save_answer as keep
from questionnaires.services import save_answers as keep_together
from studies import clock
from studies.models.participant import Participant
from studies.services.trail.audit import Actor, Change, participant_actor, record, record_each

# What a phone says about its own waiting is believed up to four weeks, and told from a minute on.
LONGEST_WAIT_MS = 28 * 24 * 3600 * 1000
TOLD_FROM_MS = 60 * 1000


@transaction.atomic(savepoint=False)
def keep_answer(
    *,
    subject: models.Model,
    participant: Participant,
    response: Response,
    item_key: str,
    raw: object,
    language: str = "",
    elapsed_ms: int | None = None,
    key: UUID | None = None,
    waited_ms: int = 0,
) -> SavedAnswer:
    """Keep the answer to one item of `subject` (an assessment, a diary entry).

    Of `response` the key says which row; that is read under its lock.
    `language` is the one in which the item was read, empty for the participant's own. An answer
    that waited on a phone for its connection comes with how long, and with a key of its own: the
    same key again changes nothing, and an answer that was given later is never overwritten.
    """
    saved = keep(
        response=response,
        item_key=item_key,
        raw=raw,
        at=_given_at(waited_ms),
        language=language or participant.language,
        elapsed_ms=elapsed_ms,
        key=key,
    )
    _record(subject, participant_actor(participant), saved, raw, waited_ms)
    return saved


@transaction.atomic(savepoint=False)
def keep_answers(
    *,
    subject: models.Model,
    participant: Participant,
    response: Response,
    answers: Mapping[str, object],
    elapsed_ms: Mapping[str, int] | None = None,
    actor: Actor | None = None,
) -> list[SavedAnswer]:
    """Keep answers of `subject` that come together, each with an audit entry of its own.

    `actor` is who entered them, where that was not the participant.
    """
    saved = keep_together(
        response=response,
        answers=answers,
        at=clock.now(),
        language=participant.language,
        elapsed_ms=elapsed_ms,
    )
    record_each(
        actor=actor or participant_actor(participant),
        action="save_answer",
        subject=subject,
        changes=[_change(one) for one in saved if one.changed],
    )
    return saved


@transaction.atomic(savepoint=False)
def keep_refusal(
    *,
    subject: models.Model,
    participant: Participant,
    response: Response,
    item_key: str,
    language: str = "",
    elapsed_ms: int | None = None,
    key: UUID | None = None,
    waited_ms: int = 0,
    actor: Actor | None = None,
) -> SavedAnswer:
    """Keep that a participant does not want to answer one item of `subject`."""
    saved = decline(
        response=response,
        item_key=item_key,
        at=_given_at(waited_ms),
        language=language or participant.language,
        elapsed_ms=elapsed_ms,
        key=key,
    )
    _record(subject, actor or participant_actor(participant), saved, None, waited_ms)
    return saved


def told(item: Item, given: Given | None) -> dict[str, object] | None:
    """Return what the audit trail says of something given to an item; nothing of nothing."""
    if given is None:
        return None
    if given.is_declined:
        return {"item": item.key, "declined": True}
    if item.kind == Kind.TEXT:
        return {"item": item.key, "sha256": hashlib.sha256(given.raw.encode()).hexdigest()}
    return {"item": item.key, "raw": given.raw}


def _given_at(waited_ms: int) -> datetime:
    return clock.now() - timedelta(milliseconds=min(max(waited_ms, 0), LONGEST_WAIT_MS))


def _record(
    subject: models.Model,
    actor: Actor,
    saved: SavedAnswer,
    raw: object,
    waited_ms: int,
) -> None:
    if saved.is_late:
        _record_late(subject, actor, saved, raw)
    if not saved.changed:
        return
    waited = {"waited_s": waited_ms // 1000} if waited_ms >= TOLD_FROM_MS else {}
    old, new = _change(saved)
    record(
        actor=actor,
        action="decline_answer" if saved.answer.is_declined else "save_answer",
        subject=subject,
        old=old,
        new={**new, **waited},
    )


def _change(saved: SavedAnswer) -> Change:
    answer = saved.answer
    now = Given(answer.raw, answer.value, answer.is_declined)
    new = {**told(answer.item, now), "language": answer.language}
    return told(answer.item, saved.previous), new


def _record_late(subject: models.Model, actor: Actor, saved: SavedAnswer, raw: object) -> None:
    """Note what came too late to count, so that nothing is lost without a trace."""
    item = saved.answer.item
    late = Given(is_declined=True) if raw is None else Given(str(raw))
    record(
        actor=actor,
        action="leave_out_late_answer",
        subject=subject,
        old=told(item, saved.previous),
        new=told(item, late),
    )
