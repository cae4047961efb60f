"""Where a response stands: its answers, the items that apply, the next one."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from questionnaires.instruments.instrument import Item, Value
from questionnaires.instruments.reading import is_range
from questionnaires.models import Response


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a response is, in the items that apply."""

    n_answered: int
    n_items: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands among the items that apply: "question 7 of 19"."""

    item: Item
    number: int
    n_items: int
    previous_key: str | None
    next_key: str | None


def answers_of(response: Response) -> dict[str, Value]:
    """Return the values by item key; a skipped or declined item is there with ``None``."""
    return dict(response.answers.values_list("item_key", "value"))


def declined_items(response: Response) -> set[str]:
    """Return the items that somebody chose not to answer."""
    declined = response.answers.filter(is_declined=True)
    return set(declined.values_list("item_key", flat=True))


def asked_answers_of(response: Response) -> dict[str, Value]:
    """Return a value for every item that applies, ``None`` where there is no answer.

    An answer whose condition was taken back later (a frequency without its reason) is left out.
    """
    return _asked(response, answers_of(response))


def asked_and_declined(response: Response) -> tuple[dict[str, Value], set[str]]:
    """Return what `asked_answers_of` and `declined_items` do, for one question to the database."""
    rows = list(response.answers.values_list("item_key", "value", "is_declined"))
    answers = {key: value for key, value, _is_declined in rows}
    return _asked(response, answers), {key for key, _value, is_declined in rows if is_declined}


def first_unanswered(response: Response) -> str | None:
    """Return the key of the first item that applies and was neither answered nor skipped."""
    answers = answers_of(response)
    asked = response.definition.asked_items(answers)
    return next((item.key for item in asked if item.key not in answers), None)


def progress(response: Response) -> Progress:
    """Return how many of the items that apply have been answered or skipped."""
    answers = answers_of(response)
    asked = response.definition.asked_items(answers)
    return Progress(sum(item.key in answers for item in asked), len(asked))


def place_of(response: Response, item_key: str) -> Place:
    """Return where an item stands, with its neighbours; also for one that no longer applies."""
    item = response.definition.item(item_key)
    answers = answers_of(response)
    asked = set(response.definition.asked_items(answers)) | {item}
    path = [step for step in response.definition.items if step in asked]
    at = path.index(item)
    return Place(
        item=item,
        number=at + 1,
        n_items=len(path),
        previous_key=path[at - 1].key if at else None,
        next_key=path[at + 1].key if at + 1 < len(path) else None,
    )


def shown_answer(response: Response, item_key: str) -> Value:
    """Return what a form shows of a kept answer: its value, or the range that was typed."""
    kept = response.answers.filter(item_key=item_key).first()
    if kept is None:
        return None
    return kept.raw if is_range(kept.item, kept.raw) else kept.value


def revisions_of(response: Response) -> list[Response]:
    """Return every revision of a response, the original first; any of them may be given."""
    first = response.original_id or response.pk
    family = Response.objects.filter(Q(pk=first) | Q(original=first))
    return list(family.order_by("revision"))


def newest_revision(response: Response) -> Response:
    """Return the revision that measures now."""
    return revisions_of(response)[-1]


def older_revisions(response_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the corrected revisions behind these responses, each with the one given for it."""
    newest = Response.objects.filter(pk__in=list(response_ids), original__isnull=False)
    by_original = {original: pk for pk, original in newest.values_list("pk", "original_id")}
    older = Response.objects.filter(Q(pk__in=by_original) | Q(original__in=by_original))
    rows = older.exclude(pk__in=by_original.values()).values_list("pk", "original_id")
    return {pk: by_original[original or pk] for pk, original in rows}


def _asked(response: Response, answers: dict[str, Value]) -> dict[str, Value]:
    asked = {item.key for item in response.definition.asked_items(answers)}
    return {
        item.key: answers.get(item.key) if item.key in asked else None
        for item in response.definition.items
    }
