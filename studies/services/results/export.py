"""The export: one ZIP with everything about a study, in the formats that other programs read.

Never a name or a contact; free text is withheld, because people write names into it. While the
study is blinded the arm is masked, and so is who listened or wrote a diary: that alone tells it.
Rows are written as they are read, so a large study needs no more memory than a small one. The rows
of our own tables are in `export_rows`, `export_music`, `export_skills`, `export_safety` and
`export_screening`; the formats in `export_formats`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZipFile

from django.db import transaction

from questionnaires.selectors import functional_instruments
from studies import clock
from studies.design.bundle import Bundle
from studies.design.export_tables import MASKED, TABLES
from studies.models.study import Study
from studies.selectors.outcomes import POOLED, analysed_codes, arm_labels
from studies.services.results.analysis import Report, report
from studies.services.results.export_analysis import about_analysis, write_analysis
from studies.services.results.export_formats import write_formats
from studies.services.results.export_music import listening_rows, morning_rows
from studies.services.results.export_people import People, sheet_of
from studies.services.results.export_rows import (
    CODEBOOK_COLUMNS,
    DICTIONARY_COLUMNS,
    DICTIONARY_LANGUAGE,
    Row,
    answer_rows,
    column_rows,
    result_rows,
    score_rows,
    variable_rows,
)
from studies.services.results.export_safety import deviation_rows, event_rows
from studies.services.results.export_screening import screening_rows
from studies.services.results.export_skills import adherence_rows, night_rows, window_rows
from studies.services.trail.audit import Actor, record

IN_MEMORY_BYTES = 8_000_000
# Reading the people is this share of the work; the rest goes by bytes, of which the files have this
# many for each character of the people (benchmarks/exports.py), more or less.
READ, ALMOST, EXPANSION = 0.15, 0.99, 18.0

TABLE_ROWS = {
    "items.csv": answer_rows,
    "scores.csv": score_rows,
    "listening.csv": listening_rows,
    "cbt_adherence.csv": adherence_rows,
    "diary.csv": night_rows,
    "sleep_windows.csv": window_rows,
    "morning_diary.csv": morning_rows,
    "adverse_events.csv": event_rows,
    "screening.csv": screening_rows,
    "deviations.csv": deviation_rows,
}


# Called with the share of the work that is done and what is being written.
Tell = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Export:
    """A finished export: the name to save it under, and its content from the start."""

    filename: str
    file: IO[bytes]
    sha256: str


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of an export that was written."""

    cut_at: datetime
    n_analysed: int
    is_blinded: bool
    sha256: str


@transaction.atomic
def export_study(*, study: Study, actor: Actor) -> Export:
    """Write the export of a study as it stands now; the audit trail keeps its checksum."""
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 -- the caller closes it
    written = write_export(study, file)
    record(
        actor=actor,
        action="export_study",
        subject=study,
        new={
            "sha256": written.sha256,
            "n_analysed": written.n_analysed,
            "is_blinded": written.is_blinded,
        },
    )
    return Export(filename_of(study, written.cut_at), file, written.sha256)


def write_export(study: Study, file: IO[bytes], tell: Tell | None = None) -> Written:
    """Write the ZIP into an open file, which stands at its start afterwards.

    `tell` hears of every person that is read and every chunk that is written; what it raises ends
    the export.
    """
    cut_at = clock.now()
    codes = analysed_codes(study)
    arms = {code: _arm(arm) for code, arm in arm_labels(study, codes).items()}
    way = _Way(tell or _silent, len(codes))
    results = report(study)
    with People(study, arms, way.read) as people, ZipFile(file, "w") as archive:
        way.n_characters = people.n_characters
        bundle = Bundle(archive, study.code, cut_at, way.wrote)
        _write_tables(bundle, study, arms, results)
        named = [MASKED] if study.is_blinded else results.arms
        write_formats(bundle, sheet_of(study, named, cut_at), people)
        analysis = about_analysis(study, write_analysis(bundle, study))
        bundle.text("README.txt", _readme(study, results, analysis))
        bundle.text("SHA256SUMS", bundle.checksums())
    return Written(cut_at, len(codes), study.is_blinded, _sha256_of(file))


def filename_of(study: Study, cut_at: datetime) -> str:
    """Return the name to save an export under."""
    return f"{study.code}-{cut_at:%Y%m%dT%H%M%SZ}.zip"


class _Way:
    """How far an export is: reading people first, then by the bytes that they will make."""

    def __init__(self, tell: Tell, n_people: int) -> None:
        self._tell, self._n_people = tell, n_people
        self.n_characters = 0

    def read(self, n_people: int) -> None:
        self._tell(READ * n_people / self._n_people, "people")

    def wrote(self, name: str, n_bytes: int) -> None:
        expected = EXPANSION * self.n_characters
        share = min(1.0, n_bytes / expected) if expected else 1.0
        self._tell(READ + (ALMOST - READ) * share, name)


def _write_tables(bundle: Bundle, study: Study, arms: Mapping[str, str], results: Report) -> None:
    tables: dict[str, Iterable[Row]] = {
        name: rows_of(study, arms) for name, rows_of in TABLE_ROWS.items()
    }
    tables["results.csv"] = result_rows(results)
    for name, columns in TABLES.items():
        labelled = ((*row, int(study.is_synthetic)) for row in tables[name])
        bundle.table(name, [column.name for column in columns], labelled)
    bundle.table("data_dictionary.csv", DICTIONARY_COLUMNS, column_rows())
    bundle.table("codebook.csv", CODEBOOK_COLUMNS, variable_rows(results.instruments))


def _readme(study: Study, results: Report, analysis: str) -> str:
    label = (
        "SYNTHETIC DATA. No person stands behind any row of this export.\n\n"
        if study.is_synthetic
        else ""
    )
    blinding = (
        f"The study is blinded: arm is '{MASKED}', results are pooled ('{POOLED}'), and listening, "
        f"lessons, diaries and sleep windows name nobody."
        if study.is_blinded
        else "The study is unblinded: arms are named."
    )
    return f"""{label}Nocturne export of study {study.code}: {study.title}

State of the data: {results.cut_at:%Y-%m-%d %H:%M:%S} UTC
Time zone of the study: {study.zone}. Times in the files are UTC, dates are local.
Analysed: {results.n_analysed} participants, everybody who was allocated and left their data.
{blinding}
Protocol: {study.plan.name}, SHA-256 {study.protocol_sha256 or study.plan.sha256}
{analysis}

long.csv             one row a participant and visit: items and scores side by side
wide.csv             one row a participant; _w4 is week 4
spss/, stata/        the same two tables with labels (.sav, .dta)
datapackage.json     what the CSV files hold, for: frictionless validate datapackage.json
odm.xml              CDISC ODM 1.3.2
redcap/              dictionary, arms, events, event mapping and records, to be loaded in this order
fhir/                FHIR R4, one resource a line
analysis/            plan.json, trial.csv, harms.csv, results.json, run.json, the report, its
                     figures, and an R script that computes the results again: Rscript reproduce.R

items.csv            every answer of every questionnaire that was handed in
scores.csv           every score of every questionnaire that was handed in
results.csv          n, mean, change and change rates with 95 % intervals
listening.csv        minutes heard, night by night
cbt_adherence.csv    lessons, diary nights and contact minutes of the arm with lessons
diary.csv            what follows from each night of the sleep diary
sleep_windows.csv    the sleep window week by week, with the rule's result
morning_diary.csv    the morning diary of the music arms
adverse_events.csv   adverse events with their grades
screening.csv        who was screened and the verdict; its score is never a baseline
deviations.csv       departures from the protocol
data_dictionary.csv  what each column of these files means
codebook.csv         what each item and score means, with its range and codes
SHA256SUMS           check the files with: sha256sum --check SHA256SUMS

Missing: an empty field. In items.csv the column `missing` says why a value is empty: `declined`
(the participant chose "I do not want to answer") or `skipped` (an optional item was left blank).
An item that was not asked, and a visit that was missed, have no rows there. In SPSS a declined
answer is -99 and a skipped one -98 (user-missing), in Stata .d and .s; anything else is
system-missing.
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


def _silent(_share: float, _what: str) -> None:
    """Tell nobody."""


def _arm(label: str) -> str:
    return MASKED if label == POOLED else label


def _sha256_of(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest
