"""Score tables, rows for exports, and their dictionary."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from questionnaires.instruments.instrument import Instrument, Value
from questionnaires.models import Answer, Score
from questionnaires.selectors.wording import variable_words

# Why an item has a row and no value: an optional one left blank, or one that somebody declined.
SKIPPED, DECLINED = "skipped", "declined"


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One answer as an export writes it; `language` is the one in which this item was read.

    ``missing`` says why there is no value: `SKIPPED` or `DECLINED`. An item without a row was never
    asked, or never reached.
    """

    response_id: UUID
    instrument: str
    version: str
    language: str
    revision: int
    item_key: str
    raw: str
    value: Value
    unit: str
    missing: str
    answered_at: datetime
    elapsed_ms: int | None


@dataclass(frozen=True, slots=True)
class DictionaryRow:
    """One variable of the data dictionary: an item or a score of an instrument."""

    instrument: str
    version: str
    variable: str
    role: str
    label: str
    kind: str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[tuple[int, str], ...]
    required: bool
    missing_rule: str


def score_table(response_ids: Iterable[UUID]) -> dict[UUID, dict[str, float | None]]:
    """Return the scores by response and name; a response without scores has an empty row."""
    table: dict[UUID, dict[str, float | None]] = {pk: {} for pk in response_ids}
    scores = Score.objects.filter(response_id__in=table)
    for response_id, name, value in scores.values_list("response_id", "name", "value"):
        table[response_id][name] = value
    return table


def flag_table(response_ids: Iterable[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Return the flags of each response; they never change a score."""
    table: dict[UUID, tuple[str, ...]] = dict.fromkeys(response_ids, ())
    rows = Score.objects.filter(response_id__in=table).values_list("response_id", "flags")
    table.update({response_id: tuple(flags) for response_id, flags in rows})
    return table


def item_rows(response_ids: Iterable[UUID]) -> list[ItemRow]:
    """Return every answer of these responses, response by response in the order of the items."""
    answers = Answer.objects.filter(response_id__in=list(response_ids)).select_related("response")
    placed = sorted(answers, key=lambda answer: (str(answer.response_id), _place_of(answer)))
    return [_item_row(answer) for answer in placed]


def dictionary_rows(instrument: Instrument, language: str) -> list[DictionaryRow]:
    """Return what every item and every score of an instrument is, for the data dictionary."""
    wording = variable_words(instrument, language)
    items = [
        DictionaryRow(
            instrument=instrument.key,
            version=instrument.version,
            variable=item.key,
            role="item",
            label=wording.items[item.key].label,
            kind=str(item.kind),
            unit=item.unit,
            low=min(item.choices, default=item.low),
            high=max(item.choices, default=item.high),
            choices=tuple(wording.choices(item)) if item.choices else (),
            required=item.required,
            missing_rule="",
        )
        for item in instrument.items
    ]
    scores = [
        DictionaryRow(
            instrument=instrument.key,
            version=instrument.version,
            variable=score.name,
            role="score",
            label=score.name.replace("_", " "),
            kind="number",
            unit=score.unit,
            low=score.low,
            high=score.high,
            choices=(),
            required=False,
            missing_rule=instrument.missing_rule,
        )
        for score in instrument.scores
    ]
    return items + scores


def _place_of(answer: Answer) -> int:
    return [item.key for item in answer.response.definition.items].index(answer.item_key)


def _item_row(answer: Answer) -> ItemRow:
    response = answer.response
    return ItemRow(
        response_id=response.pk,
        instrument=response.instrument,
        version=response.version,
        language=answer.language,
        revision=response.revision,
        item_key=answer.item_key,
        raw=answer.raw,
        value=answer.value,
        unit=answer.item.unit,
        missing=_missing_code(answer),
        answered_at=answer.answered_at,
        elapsed_ms=answer.elapsed_ms,
    )


def _missing_code(answer: Answer) -> str:
    if answer.is_declined:
        return DECLINED
    return SKIPPED if answer.value is None else ""
