"""The parts of `benchmarks/exports.py`; each runs in a process of its own, which Django set up."""

import json
import resource
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pandas as pd
import pyreadstat
from django.core.management import call_command
from django.db import transaction

from questionnaires.instruments import instrument_named, score_answers
from questionnaires.instruments.instrument import Item, Kind, Value
from questionnaires.instruments.wording import shipped_wording
from questionnaires.models import Answer, Response, Score
from studies.design.protocol import four_arms
from studies.interop.flat import long_rows, long_variables
from studies.interop.people import Form, Person, VisitRecord
from studies.interop.spss import sav
from studies.interop.stata import dta
from studies.interop.study_sheet import FactorSheet, InstrumentSheet, StudySheet, VisitSheet
from studies.interop.variables import Variable
from studies.models.allocation import Allocation, AllocationStream
from studies.models.participant import Participant, ParticipantState
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.services.protocol.setup import create_study
from studies.services.results.export import export_study
from studies.services.trail.audit import SYSTEM

CODE = "BENCH"
AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PEOPLE_AT_ONCE = 200
INSTRUMENTS = ("psqi", "cpss")
WEEKS = (0, 4, 8)
TEXTS = {"bed": "23:30", "rise": "07:00", "latency_min": 40.0, "sleep_h": 5.75}


def fill(size: int, _folder: Path) -> dict[str, Any]:
    """Fill a new database with a study of so many participants."""
    call_command("migrate", verbosity=0)
    study = create_study(
        code=CODE, title="Benchmark", zone="Asia/Shanghai", protocol=four_arms(30), actor=SYSTEM
    )
    stream = AllocationStream.objects.create(
        study=study, sealed_seed=b"", commitment="", n_slots=size, next_slot=size
    )
    for start in range(0, size, PEOPLE_AT_ONCE):
        with transaction.atomic():
            _fill_some(study, stream, range(start, min(start + PEOPLE_AT_ONCE, size)))
    return {}


def export(size: int, _folder: Path) -> dict[str, Any]:
    """Return the seconds and the memory of one export."""
    study = Study.objects.get(code=CODE)
    before_mb, began = _peak_mb(), process_time()
    with export_study(study=study, actor=SYSTEM).file as file:
        seconds = process_time() - began
        with ZipFile(file) as archive:
            written_mb = sum(info.file_size for info in archive.infolist()) / 1e6
    return _figures(f"export of {size} participants", seconds, before_mb, written_mb)


def write_sav(size: int, folder: Path) -> dict[str, Any]:
    """Return what it takes to write the long table as .sav."""
    return _written(sav, size, folder)


def write_dta(size: int, folder: Path) -> dict[str, Any]:
    """Return what it takes to write the long table as .dta."""
    return _written(dta, size, folder)


def write_with_pyreadstat(size: int, folder: Path) -> dict[str, Any]:
    """Return what the peer takes to write the same table as .sav."""
    return _by_peer("pyreadstat .sav", size, folder, lambda frame, labels, path: (
        pyreadstat.write_sav(frame, path, column_labels=labels)))  # fmt: skip


def write_with_pandas(size: int, folder: Path) -> dict[str, Any]:
    """Return what the peer takes to write the same table as .dta."""
    return _by_peer("pandas .dta", size, folder, lambda frame, labels, path: (
        frame.to_stata(path, write_index=False, version=118, variable_labels=labels)))  # fmt: skip


def _written(write: Callable[..., Iterator[bytes]], size: int, folder: Path) -> dict[str, Any]:
    sheet, path = _sheet(), folder / "long"
    variables = long_variables(sheet)
    before_mb, began = _peak_mb(), process_time()
    n_rows = size * len(WEEKS)
    chunks = write(variables, n_rows, long_rows(sheet, _people(size)), title=CODE, at=AT)
    with path.open("wb") as file:
        file.writelines(chunks)
    seconds = process_time() - began
    what = f"our .{write.__name__}, {size} participants"
    return _figures(what, seconds, before_mb, path.stat().st_size / 1e6)


def _by_peer(
    name: str, size: int, folder: Path, write: Callable[[pd.DataFrame, dict, Path], None]
) -> dict[str, Any]:
    sheet, path = _sheet(), folder / "long"
    variables = long_variables(sheet)
    before_mb, began = _peak_mb(), process_time()
    columns: list[Variable] = variables
    rows = ([_plain(cell) for cell in row] for row in long_rows(sheet, _people(size)))
    frame = pd.DataFrame(rows, columns=[variable.name for variable in columns])
    labels = {variable.name: variable.label[:80] for variable in columns}
    write(frame, labels, path)
    seconds = process_time() - began
    what = f"{name}, {size} participants"
    return _figures(what, seconds, before_mb, path.stat().st_size / 1e6)


def _plain(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, date) else cell


def _figures(what: str, seconds: float, before_mb: float, written_mb: float) -> dict[str, Any]:
    return {
        "what": what, "seconds": seconds, "memory_mb": _peak_mb(), "before_mb": before_mb,
        "written_mb": written_mb,
    }  # fmt: skip


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _value(item: Item, number: int) -> Value:
    if item.kind is Kind.CHOICE:
        return item.choices[number % len(item.choices)]
    return None if item.kind is Kind.TEXT else TEXTS[item.key]


def _answers(key: str, number: int) -> dict[str, Value]:
    return {
        item.key: _value(item, number + n) for n, item in enumerate(instrument_named(key).items)
    }


def _sheet() -> StudySheet:
    forms = [instrument_named(key) for key in INSTRUMENTS]
    return StudySheet(
        code=CODE, title="Benchmark", protocol_name="four_arms", protocol_sha256="0" * 64,
        is_synthetic=True, is_blinded=True, arms=("masked",),
        factors=(FactorSheet("sex", ("female", "male")),),
        visits=tuple(VisitSheet(week, INSTRUMENTS, 5) for week in WEEKS),
        instruments=tuple(InstrumentSheet(one, (shipped_wording(one, "en"),)) for one in forms),
        cut_at=AT,
    )  # fmt: skip


def _people(size: int) -> Iterator[Person]:
    scored = [
        {key: (found := _answers(key, n), score_answers(instrument_named(key), found))
         for key in INSTRUMENTS}
        for n in range(20)
    ]  # fmt: skip
    for number in range(size):
        visits = []
        for week in WEEKS:
            forms = [
                Form(key, "1", "en", f"{number}", 1, AT.isoformat(), scores.rule_id, answers, {},
                     (), scores.values)
                for key, (answers, scores) in scored[(number + week) % 20].items()
            ]  # fmt: skip
            visits.append(VisitRecord(week, date(2026, 1, 1) + timedelta(weeks=week), tuple(forms)))
        yield Person(f"P{number:07d}", "masked", {"sex": "female"}, tuple(visits))


def _fill_some(study: Study, stream: AllocationStream, numbers: range) -> None:
    site, arms = study.sites.get(), list(study.arms.all())
    people = Participant.objects.bulk_create(
        Participant(
            study=study, site=site, code=f"P{n:07d}", state=ParticipantState.ALLOCATED,
            stratum="sex=female", strata={"sex": "female"}, age_years=15, zone=study.zone,
            enrolled_at=AT,
        )
        for n in numbers
    )  # fmt: skip
    Allocation.objects.bulk_create(
        Allocation(stream=stream, slot=n, participant=person, arm=arms[n % len(arms)],
                   allocated_at=AT)
        for n, person in zip(numbers, people, strict=True)
    )  # fmt: skip
    visits = Visit.objects.bulk_create(
        Visit(participant=person, week=week, target_on=date(2026, 1, 1) + timedelta(weeks=week),
              opens_at=AT)
        for person in people
        for week in WEEKS
    )  # fmt: skip
    placed = [(visit, place, key) for visit in visits for place, key in enumerate(INSTRUMENTS)]
    responses = Response.objects.bulk_create(
        Response(pk=uuid4(), instrument=key, version="1", language="en", wording_hash="0" * 64,
                 rule_id=instrument_named(key).default_rule, started_at=AT)
        for _visit, _place, key in placed
    )  # fmt: skip
    Assessment.objects.bulk_create(
        Assessment(visit=visit, instrument=key, position=place, response=response,
                   state=AssessmentState.SUBMITTED)
        for (visit, place, key), response in zip(placed, responses, strict=True)
    )  # fmt: skip
    _fill_answers(responses)
    drafts = Response.objects.filter(pk__in=[response.pk for response in responses])
    drafts.update(state="submitted", submitted_at=AT)


def _fill_answers(responses: list[Response]) -> None:
    given = [(one, _answers(one.instrument, number)) for number, one in enumerate(responses)]
    answers = (
        Answer(response=one, item_key=key, raw=str(value), value=value, language="en",
               wording_hash="0" * 64, answered_at=AT, elapsed_ms=3000)
        for one, found in given
        for key, value in found.items()
        if value is not None
    )  # fmt: skip
    scores = (
        Score(response=one, rule_id=scored.rule_id, name=name, value=value)
        for one, found in given
        for scored in [score_answers(instrument_named(one.instrument), found)]
        for name, value in scored.values.items()
    )
    for model, rows in ((Answer, answers), (Score, scores)):
        while batch := list(islice(rows, 5000)):
            model.objects.bulk_create(batch)


PARTS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    "fill": fill, "export": export, "sav": write_sav, "dta": write_dta,
    "pyreadstat": write_with_pyreadstat, "pandas": write_with_pandas,
}  # fmt: skip


def main(part: str, size: str, folder: str) -> None:
    """Print the figures of one part as JSON."""
    sys.stdout.write(json.dumps(PARTS[part](int(size), Path(folder))))
