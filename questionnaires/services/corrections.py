"""Correct an answer that was handed in: as a new revision, with its author and its reason.

The revision before stays as it is, sealed with its scores. What measures the response from now on
is the newest revision; whoever keeps a reference to the response moves it there.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from questionnaires.exceptions import NothingToCorrect, RevisionOutdated
from questionnaires.instruments.reading import read_answer
from questionnaires.models import Answer, Response
from questionnaires.selectors import newest_revision
from questionnaires.services.responses import Given, given_to, lock, seal


@dataclass(frozen=True, slots=True)
class Correction:
    """The new revision, and what was given to the corrected item before and after."""

    response: Response
    before: Given | None
    after: Given


@transaction.atomic
def correct_answer(
    *, response: Response, item_key: str, raw: object, author: str, reason: str, at: datetime
) -> Correction:
    """Return a new, scored and sealed revision in which one item is answered otherwise.

    Raises NothingToCorrect for a draft or for the same answer again, RevisionOutdated where
    `response` is not the newest revision, AnswerRefused for an answer that does not fit, and
    IncompleteResponse where the new answer opens another item that has none.
    """
    # The first revision is the lock of them all: two corrections at once wait for each other.
    lock(response.original or response)
    newest = newest_revision(response)
    if newest.pk != response.pk:
        raise RevisionOutdated(response.revision, newest.revision)
    if not newest.is_submitted:
        raise NothingToCorrect("a draft")
    value = read_answer(newest.definition.item(item_key), raw)
    after = Given("" if value is None else str(raw), value)
    kept = newest.answers.filter(item_key=item_key).first()
    before = given_to(kept)
    if before and (before.value, before.is_declined) == (after.value, False):
        raise NothingToCorrect("the same answer")
    revision = _next_revision(newest, author, reason, at)
    _copy_answers(newest, revision, but=item_key)
    _answer(revision, item_key, after, at, kept)
    return Correction(seal(revision, at), before, after)


def _next_revision(newest: Response, author: str, reason: str, at: datetime) -> Response:
    return Response.objects.create(
        instrument=newest.instrument,
        version=newest.version,
        rule_id=newest.rule_id,
        language=newest.language,
        wording_hash=newest.wording_hash,
        original=newest.original or newest,
        revision=newest.revision + 1,
        author=author,
        reason=reason,
        started_at=at,
    )


def _copy_answers(newest: Response, revision: Response, *, but: str) -> None:
    copies = list(newest.answers.exclude(item_key=but))
    for answer in copies:
        answer.pk, answer.response = None, revision
    Answer.objects.bulk_create(copies)


def _answer(
    revision: Response, item_key: str, given: Given, at: datetime, kept: Answer | None
) -> None:
    Answer.objects.create(
        response=revision,
        item_key=item_key,
        raw=given.raw,
        value=given.value,
        # The participant read these words, whoever corrects the answer.
        language=kept.language if kept else revision.language,
        wording_hash=kept.wording_hash if kept else revision.wording_hash,
        answered_at=at,
        # How fast the participant was stays known: it flags the response, whoever corrects it.
        elapsed_ms=kept.elapsed_ms if kept else None,
    )
