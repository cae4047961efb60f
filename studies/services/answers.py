"""Keep one answer and write into the audit trail what stood there before.

Words that a participant typed freely may name somebody, so the trail holds their SHA-256 only:
enough to show that they changed, nothing to read.
"""

import hashlib

from django.db import models, transaction

from questionnaires.instruments.instrument import Item, Kind
from questionnaires.models import Response
from questionnaires.services import Given, SavedAnswer
from questionnaires.services import decline_answer as decline
from questionnaires.services import save_answer as keep
from studies import clock
from studies.models.participant import Participant
from studies.services.audit import participant_actor, record


@transaction.atomic
def keep_answer(
    *,
    subject: models.Model,
    participant: Participant,
    response: Response,
    item_key: str,
    raw: object,
    language: str = "",
    elapsed_ms: int | None = None,
) -> SavedAnswer:
    """Keep the answer to one item of `subject` (an assessment, a diary entry).

    `language` is the one in which the item was read; empty for the participant's own.
    """
    saved = keep(
        response=response,
        item_key=item_key,
        raw=raw,
        at=clock.now(),
        language=language or participant.language,
        elapsed_ms=elapsed_ms,
    )
    _record(subject, participant, saved)
    return saved


@transaction.atomic
def keep_refusal(
    *,
    subject: models.Model,
    participant: Participant,
    response: Response,
    item_key: str,
    language: str = "",
    elapsed_ms: int | None = None,
) -> SavedAnswer:
    """Keep that a participant does not want to answer one item of `subject`."""
    saved = decline(
        response=response,
        item_key=item_key,
        at=clock.now(),
        language=language or participant.language,
        elapsed_ms=elapsed_ms,
    )
    _record(subject, participant, saved)
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


def _record(subject: models.Model, participant: Participant, saved: SavedAnswer) -> None:
    if not saved.changed:
        return
    answer = saved.answer
    now = Given(answer.raw, answer.value, answer.is_declined)
    record(
        actor=participant_actor(participant),
        action="decline_answer" if answer.is_declined else "save_answer",
        subject=subject,
        old=told(answer.item, saved.previous),
        new={**told(answer.item, now), "language": answer.language},
    )
