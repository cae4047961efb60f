"""The export: one ZIP with items, scores, results, listening, dictionary, codebook, checksums.

Never a name or a contact; free text is withheld, because people write names into it. While the
study is blinded the arm is masked, and so is who listened: listening alone tells a music arm from
lessons.
Rows are written as they are read, a few hundred responses at a time, so a large study needs no more
memory than a small one.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZipFile

from django.db import transaction

from questionnaires.instruments.instrument import Kind
from questionnaires.selectors import (
    ItemRow,
    definition_named,
    dictionary_rows,
    flag_table,
    functional_instruments,
    item_rows,
    older_revisions,
    score_table,
)
from studies import clock
from studies.design.bundle import Bundle
from studies.design.export_tables import MASKED, TABLES, WITHHELD
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState
from studies.selectors.listening import nights_of
from studies.selectors.outcomes import POOLED, analysed_codes, arm_labels
from studies.services.results.analysis import Cell, Report, report
from studies.services.results.export_skills import adherence_rows, night_rows, window_rows
from studies.services.trail.audit import Actor, record
from studies.stats.estimate import Estimate

RESPONSES_AT_ONCE = 300
IN_MEMORY_BYTES = 8_000_000
DICTIONARY_LANGUAGE = "en"
DICTIONARY_COLUMNS = ("file", "column", "type", "unit", "meaning")
CODEBOOK_COLUMNS = (
    "instrument", "version", "variable", "role", "label", "type", "unit", "low", "high", "choices",
    "required", "missing_rule",
)  # fmt: skip

SKILLS_TABLES = {
    "cbt_adherence.csv": adherence_rows,
    "diary.csv": night_rows,
    "sleep_windows.csv": window_rows,
}

Row = Iterable[object]


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export: the name to save it under, and its content from the start."""

    filename: str
    file: IO[bytes]
    sha256: str


@dataclass(frozen=True, slots=True)
class _Measured:
    """A submitted assessment as the tables name it."""

    code: str
    week: int
    target_on: object
    instrument: str
    submitted_at: datetime
    rule: str


@transaction.atomic
def export_study(*, study: Study, actor: Actor) -> Export:
    """Write the export of a study as it stands now; the audit trail keeps its checksum."""
    cut_at = clock.now()
    codes = analysed_codes(study)
    arms = {code: _arm(arm) for code, arm in arm_labels(study, codes).items()}
    results = report(study)
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 -- the caller closes it
    with ZipFile(file, "w") as archive:
        bundle = Bundle(archive, study.code, cut_at)
        tables = {
            "items.csv": _item_rows(study, arms),
            "scores.csv": _score_rows(study, arms),
            "results.csv": _result_rows(results),
            "listening.csv": _listening_rows(study, arms),
            **{name: rows_of(study, arms) for name, rows_of in SKILLS_TABLES.items()},
        }
        for name, rows in tables.items():
            labelled = ((*row, int(study.is_synthetic)) for row in rows)
            bundle.table(name, _names(name), labelled)
        bundle.table("data_dictionary.csv", DICTIONARY_COLUMNS, _dictionary_rows())
        bundle.table("codebook.csv", CODEBOOK_COLUMNS, _codebook_rows(results.instruments))
        bundle.text("README.txt", _readme(study, results))
        bundle.text("SHA256SUMS", bundle.checksums())
    sha256 = _sha256_of(file)
    record(
        actor=actor,
        action="export_study",
        subject=study,
        new={"sha256": sha256, "n_analysed": len(codes), "is_blinded": study.is_blinded},
    )
    return Export(f"{study.code}-{cut_at:%Y%m%dT%H%M%SZ}.zip", file, sha256)


def _item_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    for measured in _in_batches(study, arms):
        older = older_revisions(measured)
        for row in item_rows([*measured, *older]):
            about = measured[older.get(row.response_id, row.response_id)]
            text = _is_free_text(row) and not row.missing
            yield (
                about.code, arms[about.code], about.week, row.instrument, row.version, row.language,
                row.revision, int(row.response_id not in older), row.item_key,
                WITHHELD if text else row.raw, WITHHELD if text else row.value, row.missing,
                row.answered_at.isoformat(), row.elapsed_ms,
            )  # fmt: skip


def _score_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    for measured in _in_batches(study, arms):
        scores, flags = score_table(measured), flag_table(measured)
        for response, about in measured.items():
            for name, value in scores[response].items():
                yield (
                    about.code, arms[about.code], about.week, about.target_on,
                    about.submitted_at.isoformat(), about.instrument, about.rule, name, value,
                    " ".join(flags[response]),
                )  # fmt: skip


def _result_rows(results: Report) -> Iterator[Row]:
    for cell in results.cells:
        for estimate in cell.estimates:
            yield (
                cell.instrument, cell.score, cell.week, cell.arm, estimate.label, estimate.value,
                estimate.ci_low, estimate.ci_high, estimate.sd, _median(cell, estimate), estimate.n,
                cell.description.n_missing, _n_zero(cell, estimate), estimate.unit, estimate.sign,
                estimate.method, "; ".join(estimate.warnings),
            )  # fmt: skip


def _listening_rows(study: Study, arms: dict[str, str]) -> Iterator[Row]:
    nights = [night for night in nights_of(study) if night.code in arms]
    if study.is_blinded:
        # In the order of dates and minutes, so that the order tells no participant either.
        nights.sort(key=lambda night: (night.night_on, night.minutes))
    for night in nights:
        code = MASKED if study.is_blinded else night.code
        yield code, arms[night.code], night.night_on, round(night.minutes, 3)


def _dictionary_rows() -> Iterator[Row]:
    for name, columns in TABLES.items():
        for column in columns:
            yield name, column.name, column.kind, column.unit, column.meaning


def _codebook_rows(instruments: Iterable[str]) -> Iterator[Row]:
    for key in instruments:
        for row in dictionary_rows(definition_named(key), DICTIONARY_LANGUAGE):
            choices = " | ".join(f"{code} = {label}" for code, label in row.choices)
            yield (
                row.instrument, row.version, row.variable, row.role, row.label, row.kind, row.unit,
                row.low, row.high, choices, row.required, row.missing_rule,
            )  # fmt: skip


def _in_batches(study: Study, arms: dict[str, str]) -> Iterator[dict[object, _Measured]]:
    submitted = (
        Assessment.objects.filter(
            state=AssessmentState.SUBMITTED,
            visit__participant__study=study,
            visit__participant__code__in=arms,
        )
        .order_by("visit__participant__code", "visit__week", "position")
        .values_list(
            "response_id", "visit__participant__code", "visit__week", "visit__target_on",
            "instrument", "response__submitted_at", "response__rule_id",
        )
    )  # fmt: skip
    rows = submitted.iterator()
    while batch := list(islice(rows, RESPONSES_AT_ONCE)):
        yield {response: _Measured(*about) for response, *about in batch}


def _readme(study: Study, results: Report) -> str:
    label = (
        "SYNTHETIC DATA. No person stands behind any row of this export.\n\n"
        if study.is_synthetic
        else ""
    )
    blinding = (
        f"The study is blinded: arm is '{MASKED}', results are pooled ('{POOLED}'), and listening, "
        f"lessons, diary and sleep windows name nobody."
        if study.is_blinded
        else "The study is unblinded: arms are named."
    )
    return f"""{label}Nocturne export of study {study.code}: {study.title}

State of the data: {results.cut_at:%Y-%m-%d %H:%M:%S} UTC
Time zone of the study: {study.zone}. Times in the files are UTC, dates are local.
Analysed: {results.n_analysed} participants, everybody who was allocated and left their data.
{blinding}
Protocol: {study.plan.name}, SHA-256 {study.protocol_sha256 or study.plan.sha256}

items.csv            every answer of every questionnaire that was handed in
scores.csv           every score of every questionnaire that was handed in
results.csv          n, mean, change and change rates with 95 % intervals
listening.csv        minutes heard, night by night
cbt_adherence.csv    lessons, diary nights and contact minutes of the arm with lessons
diary.csv            what follows from each night of the sleep diary
sleep_windows.csv    the sleep window week by week, with the rule's result
data_dictionary.csv  what each column of these files means
codebook.csv         what each item and score means, with its range and codes
SHA256SUMS           check the files with: sha256sum --check SHA256SUMS

Missing: an empty field. In items.csv the column `missing` says why a value is empty: `declined`
(the participant chose "I do not want to answer") or `skipped` (an optional item was left blank).
An item that was not asked, and a visit that was missed, have no rows.
Corrections: every revision of a questionnaire is in items.csv; scores and results rest on the
newest one, whose rows have `is_newest` 1.
Free text is withheld, because people write names into it.
A text that begins with = + - @ has an apostrophe in front, so that no spreadsheet runs it.
Change and change rates: positive means improvement (fewer symptoms).
{_wording_note()}"""


def _wording_note() -> str:
    functional = functional_instruments(DICTIONARY_LANGUAGE)
    if not functional:
        return ""
    return f"Shown with functional labels, not the licensed texts: {', '.join(functional)}.\n"


def _names(table: str) -> tuple[str, ...]:
    return tuple(column.name for column in TABLES[table])


def _arm(label: str) -> str:
    return MASKED if label == POOLED else label


def _is_free_text(row: ItemRow) -> bool:
    return definition_named(row.instrument, row.version).item(row.item_key).kind is Kind.TEXT


def _median(cell: Cell, estimate: Estimate) -> float | None:
    medians: dict[str, Callable[[], float | None]] = {
        "mean": lambda: cell.description.median,
        "rate_individual": lambda: cell.rate_individual.median,
    }
    return medians.get(estimate.label, lambda: None)()


def _n_zero(cell: Cell, estimate: Estimate) -> int | None:
    return cell.rate_individual.n_zero_baseline if estimate.label == "rate_individual" else None


def _sha256_of(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest
