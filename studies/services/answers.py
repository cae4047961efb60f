"""Keep one answer and write into the audit trail what stood there before.

Words that a participant typed freely may name somebody, so the trail holds their SHA-256 only:
enough to show that they changed, nothing to read.
"""

import hashlib

from django.db import models, transaction

from questionnaires.instruments.instrument import Kind
from questionnaires.models import Response
from questionnaires.services import SavedAnswer
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
    elapsed_ms: int | None,
) -> SavedAnswer:
    """Keep the answer to one item of `subject` (an assessment, a diary entry)."""
    saved = keep(
        response=response, item_key=item_key, raw=raw, at=clock.now(), elapsed_ms=elapsed_ms
    )
    if saved.changed:
        record(
            actor=participant_actor(participant),
            action="save_answer",
            subject=subject,
            old=_entry(response, item_key, saved.previous_raw),
            new=_entry(response, item_key, saved.answer.raw),
        )
    return saved


def _entry(response: Response, item_key: str, raw: str | None) -> dict[str, str] | None:
    if raw is None:
        return None
    if response.definition.item(item_key).kind == Kind.TEXT:
        return {"item": item_key, "sha256": hashlib.sha256(raw.encode()).hexdigest()}
    return {"item": item_key, "raw": raw}
