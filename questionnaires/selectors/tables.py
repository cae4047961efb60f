"""Score tables, rows for exports, and their dictionary."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from questionnaires.instruments.instrument import Instrument, Value
from questionnaires.models import Answer, Score, definition_named
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


def scores_and_flags(response_id: UUID) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """Return what `score_table` and `flag_table` say of one response, for one question."""
    rows = Score.objects.filter(response_id=response_id).values_list("name", "value", "flags")
    scores, flags = {}, ()
    for name, value, of_all in rows:
        scores[name], flags = value, tuple(of_all)
    return scores, flags


def item_rows(response_ids: Iterable[UUID]) -> list[ItemRow]:
    """Return every answer of these responses, response by response in the order of the items."""
    # Plain values: a model instance of answer and response for each row took twice the time.
    answers = Answer.objects.filter(response_id__in=list(response_ids)).values_list(
        "response_id", "response__instrument", "response__version", "language",
        "response__revision", "item_key", "raw", "value", "is_declined", "answered_at",
        "elapsed_ms",
    )  # fmt: skip
    items: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
    placed = []
    for pk, key, version, language, revision, item_key, raw, value, is_declined, *when in answers:
        if (key, version) not in items:
            items[key, version] = _places_and_units(definition_named(key, version))
        place, unit = items[key, version][item_key]
        missing = _missing_code(value, is_declined=is_declined)
        row = ItemRow(
            pk, key, version, language, revision, item_key, raw, value, unit, missing, *when
        )
        placed.append((str(pk), place, row))
    placed.sort(key=lambda one: one[:2])
    return [row for _pk, _place, row in placed]


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


def _places_and_units(instrument: Instrument) -> dict[str, tuple[int, str]]:
    return {item.key: (place, item.unit) for place, item in enumerate(instrument.items)}


def _missing_code(value: Value, *, is_declined: bool) -> str:
    if is_declined:
        return DECLINED
    return SKIPPED if value is None else ""
