"""Carry an analysis out on a worker: claim the row, read the table, analyse, report, publish.

The only service that draws; workers import it, pages never do. The same data and plan give the same
bytes of results.json; times and versions lie in run.json.
"""

import hashlib
import json
import logging
import platform
import shutil
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from studies import clock
from studies.models.analysis import AnalysisRun
from studies.models.jobs import RunState
from studies.selectors.analysis_rows import analysis_csv
from studies.selectors.harms import harms_csv, harms_of
from studies.selectors.participant_flow import flow_of
from studies.services.planning.plans import deviations, read_plan
from studies.services.results.jobs import AT_WORK, Stopped, claim, end, go_on, hand_in
from studies.services.results.runs import (
    FIGURES,
    HARMS,
    PLAN,
    RESULTS,
    RUN,
    TABLE,
    files_of,
    folder,
)
from studies.services.trail.audit import SYSTEM, record
from studies.stats.analysis.harms import harm_records
from studies.stats.analysis.pooled import describe_together
from studies.stats.analysis.records import to_json
from studies.stats.analysis.running import Results, analyse
from studies.stats.errors import StatisticsError
from studies.stats.plan.trial_table import read_table
from studies.stats.report.composing import About, compose
from studies.stats.report.page import to_html
from studies.stats.report.paper import to_pdf
from studies.stats.report.picture import pictures
from studies.stats.report.wording import LANGUAGES, words_in

logger = logging.getLogger(__name__)

# Reading, analysing and each language's report, as shares of the whole.
READ, ANALYSED = 0.1, 0.6
PACKAGES = ("numpy", "scipy", "matplotlib", "reportlab", "django")


def run_next(key: UUID) -> AnalysisRun | None:
    """Carry out the run that was named, if it is still due; None where it is not."""
    run = claim(AnalysisRun, key)
    if run is None:
        return None
    work = Path(mkdtemp(dir=folder(), prefix=AT_WORK))
    try:
        facts = _work(run, work)
        _publish(run, work, facts)
    except Stopped:
        end(run, RunState.CANCELLED)
    except StatisticsError as error:
        end(run, RunState.FAILED, f"{type(error).__name__} [{error.code}]: {error}")
    except Exception as error:
        logger.exception("analysis %s", run.pk)
        end(run, RunState.FAILED, f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    run.refresh_from_db()
    return run


def _work(run: AnalysisRun, work: Path) -> dict[str, Any]:
    """Write every file of a run into a folder; return what the row keeps of them."""
    began = timezone.now()
    cut_at = clock.now()
    study = run.study
    # The study may have been unblinded since the run was asked for; what is shown is as of now.
    is_blinded = study.is_blinded
    plan = read_plan(run.plan.content)
    go_on(run, 0.0, "reading")
    text = analysis_csv(study, plan)
    table = read_table(text.splitlines(keepends=True), plan, together=is_blinded)
    go_on(run, READ, "analysing")
    method = describe_together if is_blinded else analyse
    results = method(plan, table, progress=lambda step: go_on(run, READ, step))
    departures = deviations(run.plan)
    harms = harms_of(study, table.ids)
    # Of the table that was analysed: its one pool while the study is blinded.
    counted = harm_records(plan, results.table, harms)
    data = results.as_data() | {
        "is_blinded": is_blinded,
        "deviations": departures,
        "harms": [record.as_data() for record in counted],
    }
    _write(work / TABLE, text)
    _write(work / HARMS, harms_csv(harms))
    _write(work / PLAN, to_json(plan.as_data()))
    _write(work / RESULTS, to_json(data))
    about = About(
        study=study.code,
        title=study.title,
        cut_at=cut_at,
        plan_number=run.plan.number,
        plan_locked_at=run.plan.locked_at,
        is_before_unblinding=run.plan.is_before_unblinding,
        is_synthetic=study.is_synthetic,
        is_blinded=is_blinded,
        deviations=tuple(departures),
        flow=flow_of(study),
        harms=counted,
    )
    _report(run, results, about, work)
    facts = {
        "cut_at": cut_at,
        "is_blinded": is_blinded,
        "data_sha256": table.digest,
        "results_sha256": hashlib.sha256((work / RESULTS).read_bytes()).hexdigest(),
    }
    _write(work / RUN, json.dumps(_run_data(run, began, facts), indent=1, default=str) + "\n")
    return facts


def _report(run: AnalysisRun, results: Results, about: About, work: Path) -> None:
    for number, language in enumerate(LANGUAGES):
        share = ANALYSED + (1 - ANALYSED) * number / len(LANGUAGES)
        go_on(run, share, f"report in {language}")
        words = words_in(language)
        report = compose(results, about, words)
        _write(work / f"report.{language}.html", to_html(report, words))
        (work / f"report.{language}.pdf").write_bytes(to_pdf(report, words))
        figures = work / FIGURES / language
        figures.mkdir(parents=True)
        for name, content in pictures(report):
            (figures / name).write_bytes(content)


@transaction.atomic
def _publish(run: AnalysisRun, work: Path, facts: dict[str, Any]) -> None:
    hand_in(run, facts)
    target = files_of(run)
    shutil.rmtree(target, ignore_errors=True)
    work.replace(target)
    record(actor=SYSTEM, action="finish_analysis", subject=run, new=facts)


def _run_data(run: AnalysisRun, began: datetime, facts: dict[str, Any]) -> dict[str, Any]:
    ended = timezone.now()
    return {
        "run": str(run.pk), "began_at": began, "ended_at": ended,
        "duration_s": (ended - began).total_seconds(), "plan_number": run.plan.number,
        "plan_hash": run.plan.sha256, **facts,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in
            PACKAGES},
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
