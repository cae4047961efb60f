"""The rows of an export's own tables: items, scores, results, and what the columns mean.

Free text is withheld, because people write names into it. Rows are read a few hundred responses at
a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from questionnaires.instruments.instrument import Kind
from questionnaires.selectors import (
    definition_named,
    dictionary_rows,
    flag_table,
    item_rows,
    older_revisions,
    score_table,
)
from studies.design.export_tables import TABLES, WITHHELD
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.services.results.analysis import Cell, Report
from studies.stats.estimate import Estimate

RESPONSES_AT_ONCE = 300
DICTIONARY_LANGUAGE = "en"
DICTIONARY_COLUMNS = ("file", "column", "type", "unit", "meaning")
CODEBOOK_COLUMNS = (
    "instrument", "version", "variable", "role", "label", "type", "unit", "low", "high", "choices",
    "required", "missing_rule",
)  # fmt: skip

Row = Iterable[object]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A submitted assessment as the tables name it."""

    code: str
    week: int
    target_on: object
    instrument: str
    submitted_at: datetime
    rule: str
    paper_on: date | None


def answer_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every answer of every revision."""
    texts: dict[tuple[str, str], frozenset[str]] = {}
    for measured in _in_batches(study, arms):
        older = older_revisions(measured)
        for row in item_rows([*measured, *older]):
            about = measured[older.get(row.response_id, row.response_id)]
            definition = row.instrument, row.version
            if definition not in texts:
                texts[definition] = _free_texts(*definition)
            text = row.item_key in texts[definition] and not row.missing
            yield (
                about.code, arms[about.code], about.week, row.instrument, row.version, row.language,
                row.revision, int(row.response_id not in older), row.item_key,
                WITHHELD if text else row.raw, WITHHELD if text else row.value, row.missing,
                row.answered_at.isoformat(), row.elapsed_ms,
            )  # fmt: skip


def score_rows(study: Study, arms: Mapping[str, str]) -> Iterator[Row]:
    """Yield every score of the newest revisions."""
    for measured in _in_batches(study, arms):
        scores, flags = score_table(measured), flag_table(measured)
        for response, about in measured.items():
            for name, value in scores[response].items():
                yield (
                    about.code, arms[about.code], about.week, about.target_on,
                    about.submitted_at.isoformat(), about.paper_on, about.instrument, about.rule,
                    name, value, " ".join(flags[response]),
                )  # fmt: skip


def result_rows(results: Report) -> Iterator[Row]:
    """Yield every estimate of the report."""
    for cell in results.cells:
        for estimate in cell.estimates:
            yield (
                cell.instrument, cell.score, cell.week, cell.arm, estimate.label, estimate.value,
                estimate.ci_low, estimate.ci_high, estimate.sd, _median(cell, estimate), estimate.n,
                cell.description.n_missing, _n_zero(cell, estimate), estimate.unit, estimate.sign,
                estimate.method, "; ".join(estimate.warnings),
            )  # fmt: skip


def column_rows() -> Iterator[Row]:
    """Yield every column of every table."""
    for name, columns in TABLES.items():
        for column in columns:
            yield name, column.name, column.kind, column.unit, column.meaning


def variable_rows(instruments: Iterable[str]) -> Iterator[Row]:
    """Yield every item and score of these instruments."""
    for key in instruments:
        for row in dictionary_rows(definition_named(key), DICTIONARY_LANGUAGE):
            choices = " | ".join(f"{code} = {label}" for code, label in row.choices)
            yield (
                row.instrument, row.version, row.variable, row.role, row.label, row.kind, row.unit,
                row.low, row.high, choices, row.required, row.missing_rule,
            )  # fmt: skip


def _in_batches(study: Study, arms: Mapping[str, str]) -> Iterator[dict[object, _Measured]]:
    submitted = (
        Assessment.objects.filter(
            state=AssessmentState.SUBMITTED, visit__participant__study=study
        )
        .order_by("visit__participant__code", "visit__week", "position")
        .values_list(
            "response_id", "visit__participant__code", "visit__week", "visit__target_on",
            "instrument", "response__submitted_at", "response__rule_id", "paper__filled_on",
        )
    )  # fmt: skip
    # By study and not by a list of codes: the database keeps every such list in memory.
    rows = (row for row in submitted.iterator() if row[1] in arms)
    while batch := list(islice(rows, RESPONSES_AT_ONCE)):
        yield {response: _Measured(*about) for response, *about in batch}


def _free_texts(key: str, version: str) -> frozenset[str]:
    items = definition_named(key, version).items
    return frozenset(item.key for item in items if item.kind is Kind.TEXT)


def _median(cell: Cell, estimate: Estimate) -> float | None:
    medians: dict[str, Callable[[], float | None]] = {
        "mean": lambda: cell.description.median,
        "rate_individual": lambda: cell.rate_individual.median,
    }
    return medians.get(estimate.label, lambda: None)()


def _n_zero(cell: Cell, estimate: Estimate) -> int | None:
    return cell.rate_individual.n_zero_baseline if estimate.label == "rate_individual" else None
