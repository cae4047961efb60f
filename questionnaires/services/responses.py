"""Start a response, save its answers one by one, hand it in.

The app has no clock of its own: every moment is passed in by the caller, aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.timezone import is_naive

from questionnaires.exceptions import IncompleteResponse, NaiveMoment, ResponseLocked
from questionnaires.instruments import score_answers
from questionnaires.instruments.entry import entry_flags
from questionnaires.instruments.errors import UnknownRule
from questionnaires.instruments.instrument import Value
from questionnaires.instruments.reading import read_answer
from questionnaires.models import Answer, Delivery, Response, Score
from questionnaires.selectors import (
    asked_answers_of,
    declined_items,
    definition_named,
    wording_for,
    wording_of,
)

LONGEST_ELAPSED_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gave to one item: words and their value, or that they do not want to answer."""

    raw: str = ""
    value: Value = None
    is_declined: bool = False


DECLINED = Given(is_declined=True)


@dataclass(frozen=True, slots=True)
class Manner:
    """How something was given: when, in which language, how long it took, under which key."""

    at: datetime
    language: str
    elapsed_ms: int | None
    key: UUID | None


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer that is now kept, and what stood there before (``None``: nothing).

    ``changed`` is false when nothing was written: the same value was kept already, or the same
    sending was received before, or (``is_late``) a newer answer overtook this one on its way.
    ``answer`` is then what stands.
    """

    answer: Answer
    previous: Given | None
    changed: bool
    is_late: bool = False


def start_response(*, instrument: str, language: str, at: datetime, rule_id: str = "") -> Response:
    """Begin a response; the words and the scoring rule in force now stay with it."""
    _refuse_naive(at)
    definition = definition_named(instrument)
    rule_id = rule_id or definition.default_rule
    if rule_id not in definition.rule_ids:
        raise UnknownRule(definition.key, rule_id, definition.rule_ids)
    return Response.objects.create(
        instrument=definition.key,
        version=definition.version,
        rule_id=rule_id,
        language=language,
        wording_hash=wording_of(instrument, language).sha256,
        started_at=at,
    )


@transaction.atomic
def save_answer(
    *,
    response: Response,
    item_key: str,
    raw: object,
    at: datetime,
    language: str = "",
    elapsed_ms: int | None = None,
    key: UUID | None = None,
) -> SavedAnswer:
    """Keep one answer of a draft; the same value again changes nothing.

    ``language`` is the one in which the item was read, empty for that of the response. ``key`` is
    the sender's own for this sending, ``at`` when the answer was given, which may be a while ago;
    before the response began counts as its beginning.
    Raises AnswerRefused for an answer that does not fit and ResponseLocked after submission.
    """
    _refuse_naive(at)
    locked = _lock_draft(response)
    given = _read(locked, item_key, raw)
    return _keep(locked, item_key, given, Manner(_within(locked, at), language, elapsed_ms, key))


@transaction.atomic
def save_answers(
    *,
    response: Response,
    answers: Mapping[str, object],
    at: datetime,
    language: str = "",
    elapsed_ms: Mapping[str, int] | None = None,
) -> list[SavedAnswer]:
    """Keep answers to several items that come together: all of them or, where one is refused, none.

    What is kept is what `save_answer` keeps for one after the other, with fewer questions to the
    database.
    """
    _refuse_naive(at)
    locked = _lock_draft(response)
    took, at = elapsed_ms or {}, _within(locked, at)
    given = {
        key: (_read(locked, key, raw), Manner(at, language, took.get(key), key=None))
        for key, raw in answers.items()
    }
    known = set(locked.answers.filter(item_key__in=given).values_list("item_key", flat=True))
    changed = [_keep(locked, key, *given[key]) for key in given if key in known]
    wording = wording_for(locked, language or locked.language).sha256
    new = [
        _written(Answer(response=locked, item_key=key), *given[key], wording)
        for key in given
        if key not in known
    ]
    Answer.objects.bulk_create_in(locked, new)
    return changed + [SavedAnswer(answer, None, changed=True) for answer in new]


@transaction.atomic
def decline_answer(
    *,
    response: Response,
    item_key: str,
    at: datetime,
    language: str = "",
    elapsed_ms: int | None = None,
    key: UUID | None = None,
) -> SavedAnswer:
    """Keep that somebody does not want to answer this item; whether they may, the caller knows."""
    _refuse_naive(at)
    locked = _lock_draft(response)
    locked.definition.item(item_key)
    manner = Manner(_within(locked, at), language, elapsed_ms, key)
    return _keep(locked, item_key, DECLINED, manner)


@transaction.atomic
def submit_response(*, response: Response, at: datetime) -> Response:
    """Score a complete response and seal it; a second call returns it as it is.

    Raises IncompleteResponse with the keys that have no answer.
    """
    _refuse_naive(at)
    locked = lock(response)
    if locked.is_submitted:
        return locked
    return seal(locked, at)


def seal(draft: Response, at: datetime) -> Response:
    """Score a complete draft, locked by the caller, and seal it; raises IncompleteResponse."""
    answers = asked_answers_of(draft)
    if missing := _unanswered(draft, answers):
        raise IncompleteResponse(missing)
    _store_scores(draft, answers)
    draft.seal(at)
    return draft


def given_to(kept: Answer | None) -> Given | None:
    """Return what a kept answer says; nothing where none is kept."""
    return Given(kept.raw, kept.value, kept.is_declined) if kept else None


def lock(response: Response) -> Response:
    """Return the row as it is now; whoever else wants to write to it waits."""
    return Response.objects.select_for_update().get(pk=response.pk)


def _lock_draft(response: Response) -> Response:
    locked = lock(response)
    if locked.is_submitted:
        raise ResponseLocked(locked.pk)
    return locked


def _keep(response: Response, item_key: str, given: Given, manner: Manner) -> SavedAnswer:
    kept = _kept(response, item_key)
    previous = given_to(kept)
    if _was_received(response, item_key, manner):
        return SavedAnswer(kept, previous, changed=False)
    if kept and manner.key and kept.answered_at > manner.at:
        return SavedAnswer(kept, previous, changed=False, is_late=True)
    if previous and (previous.value, previous.is_declined) == (given.value, given.is_declined):
        return SavedAnswer(kept, previous, changed=False)
    # The response is locked: nobody else can have made the answer meanwhile.
    answer = kept or Answer(response=response, item_key=item_key)
    wording = wording_for(response, manner.language or response.language).sha256
    _written(answer, given, manner, wording).save_in(response)
    return SavedAnswer(answer, previous, changed=True)


def _within(response: Response, at: datetime) -> datetime:
    """Return when something was given: no clock is so wrong that it was before the beginning."""
    return max(at, response.started_at)


def _kept(response: Response, item_key: str) -> Answer | None:
    # Not first(): there is one at most, and to put it in order costs half as much as to find it.
    try:
        return response.answers.get(item_key=item_key)
    except Answer.DoesNotExist:
        return None


def _read(response: Response, item_key: str, raw: object) -> Given:
    value = read_answer(response.definition.item(item_key), raw)
    return Given("" if value is None else str(raw), value)


def _written(answer: Answer, given: Given, manner: Manner, wording_hash: str) -> Answer:
    """Return the answer with what was given on it, not saved yet."""
    answer.raw, answer.value, answer.is_declined = given.raw, given.value, given.is_declined
    answer.language, answer.wording_hash = manner.language or answer.response.language, wording_hash
    answer.answered_at, answer.elapsed_ms = manner.at, _countable(manner.elapsed_ms)
    return answer


def _was_received(response: Response, item_key: str, manner: Manner) -> bool:
    """Return whether this very sending came before; remember it if not."""
    if manner.key is None:
        return False
    _delivery, is_new = Delivery.objects.get_or_create(
        key=manner.key,
        defaults={"response": response, "item_key": item_key, "received_at": manner.at},
    )
    return not is_new


def _unanswered(response: Response, answers: dict[str, Value]) -> tuple[str, ...]:
    """Return the required items that were neither answered nor declined."""
    missing = response.definition.missing_keys(answers)
    # Most sheets have every answer: nobody need ask which of them were declined.
    declined = declined_items(response) if missing else set()
    return tuple(key for key in missing if key not in declined)


def _store_scores(response: Response, answers: dict) -> None:
    scores = score_answers(response.definition, answers, response.rule_id)
    entries = response.answers.values_list("item_key", "raw", "elapsed_ms")
    flags = [*scores.flags, *entry_flags(response.definition, entries)]
    Score.objects.bulk_create_in(
        response,
        [
            Score(
                response=response,
                rule_id=scores.rule_id,
                name=name,
                value=value,
                n_missing=scores.n_missing,
                flags=flags,
            )
            for name, value in scores.values.items()
        ],
    )


def _countable(elapsed_ms: int | None) -> int | None:
    """Return a time that a browser reported, or nothing where it cannot be one."""
    if elapsed_ms is None or not 0 <= elapsed_ms <= LONGEST_ELAPSED_MS:
        return None
    return elapsed_ms


def _refuse_naive(moment: datetime) -> None:
    if is_naive(moment):
        raise NaiveMoment(moment)
