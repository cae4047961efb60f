"""Queries: a question about one answer, answered by whoever may correct it, closed by who asked."""

from django.db import transaction

from studies import clock
from studies.exceptions import QueryRefused, ReasonMissing
from studies.models.query import DataQuery, QueryNote, QueryState
from studies.models.user import User
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.locks import require_unlocked
from studies.services.cbt.words import sha256_of
from studies.services.trail.audit import record, staff


@transaction.atomic
def ask_about(*, assessment: Assessment, item_key: str, question: str, user: User) -> DataQuery:
    """Ask about one answer that was handed in; one open query an answer."""
    _require_words(question, "a query")
    rows = Assessment.objects.select_for_update(of=("self",)).select_related("response")
    assessment = rows.get(pk=assessment.pk)
    require_unlocked(assessment.visit.participant.study)
    _refuse_unless_askable(assessment, item_key)
    query = DataQuery.objects.create(
        assessment=assessment,
        item_key=item_key,
        question=question.strip(),
        asked_at=clock.now(),
        asked_by=user,
    )
    _record(query, "ask_query", None, question, user)
    return query


@transaction.atomic
def answer_query(*, query: DataQuery, words: str, user: User) -> DataQuery:
    """Say what was found; the answer itself is corrected on its own page."""
    return _move(query, QueryState.ANSWERED, "answer_query", words, user)


@transaction.atomic
def ask_again(*, query: DataQuery, words: str, user: User) -> DataQuery:
    """Open a query whose answer does not settle it."""
    return _move(query, QueryState.OPEN, "ask_again", words, user)


@transaction.atomic
def close_query(*, query: DataQuery, words: str, user: User) -> DataQuery:
    """End a query for good."""
    return _move(query, QueryState.CLOSED, "close_query", words, user)


def _move(query: DataQuery, state: str, action: str, words: str, user: User) -> DataQuery:
    _require_words(words, "a query")
    rows = DataQuery.objects.select_for_update(of=("self",))
    query = rows.select_related("assessment__visit__participant__study").get(pk=query.pk)
    require_unlocked(query.assessment.visit.participant.study)
    old = query.state
    query.move_to(state)
    QueryNote.objects.create(
        query=query, state=state, words=words.strip(), noted_at=clock.now(), noted_by=user
    )
    _record(query, action, old, words, user)
    return query


def _require_words(words: str, step: str) -> None:
    if not words.strip():
        raise ReasonMissing(step)


def _refuse_unless_askable(assessment: Assessment, item_key: str) -> None:
    if assessment.state != AssessmentState.SUBMITTED:
        raise QueryRefused("a questionnaire that was handed in", assessment.state)
    known = {item.key for item in assessment.response.definition.items}
    if item_key not in known:
        raise QueryRefused("one of its items", item_key)
    unsettled = assessment.data_queries.exclude(state=QueryState.CLOSED)
    if unsettled.filter(item_key=item_key).exists():
        raise QueryRefused("an answer without an open query", item_key)


def _record(query: DataQuery, action: str, old: str | None, words: str, user: User) -> None:
    record(
        actor=staff(user),
        action=action,
        subject=query,
        old=None if old is None else {"state": old},
        new={
            "item": query.item_key,
            "state": query.state,
            "words_sha256": sha256_of(words.strip()),
        },
    )
