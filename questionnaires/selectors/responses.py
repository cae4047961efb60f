"""Where a response stands: its answers, the items that apply, the next one."""

from dataclasses import dataclass

from questionnaires.instruments.instrument import Item, Value
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
    answers = answers_of(response)
    asked = {item.key for item in response.definition.asked_items(answers)}
    return {
        item.key: answers.get(item.key) if item.key in asked else None
        for item in response.definition.items
    }


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
