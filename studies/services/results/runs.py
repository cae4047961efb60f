"""Ask for an analysis, cancel it, find its files; and keep the queue moving when something broke.

The row is the job (`jobs`). A message is only a wake-up call, sent by task name after the row is
safe, so this module needs neither the tasks nor matplotlib.
"""

import re
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from studies import clock
from studies.exceptions import RunRefused
from studies.models.analysis import AnalysisPlanVersion, AnalysisRun
from studies.models.jobs import RunState
from studies.models.study import Study
from studies.services.planning.plans import draft_of, locked_plan, save_plan
from studies.services.planning.proposal import proposed_plan
from studies.services.results import jobs
from studies.services.trail.audit import Actor, record

# The names of the doors in studies/tasks.py.
RUN_ANALYSIS = "studies.run_analysis"
SWEEP_ANALYSES = "studies.sweep_analyses"

RESULTS, RUN, TABLE, PLAN = "results.json", "run.json", "trial.csv", "plan.json"
HARMS = "harms.csv"
FIGURES = "figures"
FILE = re.compile(r"(results|run|plan)\.json|(trial|harms)\.csv|report\.(en|zh_hans)\.(html|pdf)")


@transaction.atomic
def request_analysis(*, study: Study, actor: Actor) -> AnalysisRun:
    """Return a new run of the plan in force, or of the draft while nothing is locked.

    Raises RunRefused while another run of the study is under way.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.analysis_runs.under_way().exists():
        raise RunRefused("no analysis under way", "one")
    run = AnalysisRun.objects.create(
        study=study,
        plan=_plan_to_run(study, actor),
        is_blinded=study.is_blinded,
        requested_by=actor.name,
        requested_at=clock.now(),
    )
    record(
        actor=actor,
        action="request_analysis",
        subject=run,
        new={"plan": run.plan.number, "sha256": run.plan.sha256, "is_blinded": run.is_blinded},
    )
    transaction.on_commit(partial(jobs.wake, RUN_ANALYSIS, run.pk))
    return run


@transaction.atomic
def cancel_analysis(*, run: AnalysisRun, actor: Actor) -> AnalysisRun:
    """Cancel at once what waits; ask the worker to stop what it is working on.

    Raises RunRefused where it has ended.
    """
    jobs.cancel(run, "an analysis")
    record(actor=actor, action="cancel_analysis", subject=run, new={"state": run.state})
    return run


def sweep() -> int:
    """Wake a worker for every run that waits or was left behind; return how many there were."""
    return jobs.sweep(AnalysisRun, RUN_ANALYSIS)


def files_of(run: AnalysisRun) -> Path:
    """Return the folder of a run's files."""
    return folder() / run.pk.hex


def file_of(run: AnalysisRun, name: str) -> Path | None:
    """Return one file of a finished run, if it has one of that name."""
    if run.state != RunState.DONE or not FILE.fullmatch(name):
        return None
    path = files_of(run) / name
    return path if path.is_file() else None


def newest_done(study: Study) -> AnalysisRun | None:
    """Return the newest finished run that may be shown as the study is now."""
    done = study.analysis_runs.filter(state=RunState.DONE)
    return done.order_by("-requested_at").first()


def folder() -> Path:
    """Return the directory of all runs, made if need be, for its owner only."""
    path = Path(settings.NOCTURNE_VAR) / "analyses"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _plan_to_run(study: Study, actor: Actor) -> AnalysisPlanVersion:
    plan = locked_plan(study) or draft_of(study)
    return plan or save_plan(study=study, content=proposed_plan(study.plan), actor=actor)
