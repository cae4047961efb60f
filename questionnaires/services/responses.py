"""Start a response, save its answers one by one, hand it in.

The app has no clock of its own: every moment is passed in by the caller, aware and in UTC.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.timezone import is_naive

from questionnaires.exceptions import IncompleteResponse, NaiveMoment, ResponseLocked
from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.entry import entry_flags
from questionnaires.instruments.errors import UnknownRule
from questionnaires.instruments.reading import read_answer
from questionnaires.models import Answer, Response, ResponseState, Score
from questionnaires.selectors import asked_answers_of, wording_of

LONGEST_ELAPSED_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """An answer that is now kept, and what stood there before (``None``: nothing).

    ``changed`` is false when the same value was kept already: nothing was written.
    """

    answer: Answer
    previous_raw: str | None
    changed: bool


def start_response(*, instrument: str, language: str, at: datetime, rule_id: str = "") -> Response:
    """Begin a response; the words and the scoring rule in force now stay with it."""
    _refuse_naive(at)
    definition = instrument_named(instrument)
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
    elapsed_ms: int | None = None,
) -> SavedAnswer:
    """Keep one answer of a draft; the same value again changes nothing.

    Raises AnswerRefused for an answer that does not fit and ResponseLocked after submission.
    """
    _refuse_naive(at)
    locked = _lock(response)
    if locked.is_submitted:
        raise ResponseLocked(locked.pk)
    value = read_answer(locked.definition.item(item_key), raw)
    previous = locked.answers.filter(item_key=item_key).first()
    if previous is not None and previous.value == value:
        return SavedAnswer(previous, previous.raw, changed=False)
    previous_raw = previous.raw if previous else None
    # The response is locked: nobody else can have made the answer meanwhile.
    answer = previous or Answer(response=locked, item_key=item_key)
    answer.raw = "" if value is None else str(raw)
    answer.value, answer.answered_at, answer.elapsed_ms = value, at, _countable(elapsed_ms)
    answer.save()
    return SavedAnswer(answer, previous_raw, changed=True)


@transaction.atomic
def submit_response(*, response: Response, at: datetime) -> Response:
    """Score a complete response and seal it; a second call returns it as it is.

    Raises IncompleteResponse with the keys that have no answer.
    """
    _refuse_naive(at)
    locked = _lock(response)
    if locked.is_submitted:
        return locked
    answers = asked_answers_of(locked)
    if missing := locked.definition.missing_keys(answers):
        raise IncompleteResponse(missing)
    _store_scores(locked, answers)
    locked.state = ResponseState.SUBMITTED
    locked.submitted_at = at
    locked.save(update_fields=["state", "submitted_at"])
    return locked


def _lock(response: Response) -> Response:
    """Return the row as it is now; whoever else wants to write to it waits."""
    return Response.objects.select_for_update().get(pk=response.pk)


def _store_scores(response: Response, answers: dict) -> None:
    scores = score_answers(response.definition, answers, response.rule_id)
    entries = response.answers.values_list("item_key", "raw", "elapsed_ms")
    flags = [*scores.flags, *entry_flags(response.definition, entries)]
    Score.objects.bulk_create(
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
        ]
    )


def _countable(elapsed_ms: int | None) -> int | None:
    """Return a time that a browser reported, or nothing where it cannot be one."""
    if elapsed_ms is None or not 0 <= elapsed_ms <= LONGEST_ELAPSED_MS:
        return None
    return elapsed_ms


def _refuse_naive(moment: datetime) -> None:
    if is_naive(moment):
        raise NaiveMoment(moment)
