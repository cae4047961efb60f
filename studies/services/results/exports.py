"""Ask for an export, cancel it, download it; remove it when its days are over.

The row is the job (`jobs`); the files are written by `exporting`, on a worker. Who asked and who
downloaded is in the audit trail.
"""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from studies import clock
from studies.exceptions import RunRefused
from studies.models.export import ExportRun
from studies.models.jobs import RunState
from studies.models.study import Study
from studies.services.results import jobs
from studies.services.results.jobs import AT_WORK
from studies.services.trail.audit import SYSTEM, Actor, record

# The names of the doors in studies/tasks.py.
RUN_EXPORT = "studies.run_export"
SWEEP_EXPORTS = "studies.sweep_exports"


@transaction.atomic
def request_export(*, study: Study, actor: Actor) -> ExportRun:
    """Return a new export that a worker will write.

    Raises RunRefused while another export of the study is under way.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.export_runs.under_way().exists():
        raise RunRefused("no export under way", "one")
    run = ExportRun.objects.create(
        study=study,
        is_blinded=study.is_blinded,
        requested_by=actor.name,
        requested_at=clock.now(),
    )
    record(actor=actor, action="request_export", subject=run, new={"is_blinded": run.is_blinded})
    transaction.on_commit(partial(jobs.wake, RUN_EXPORT, run.pk))
    return run


@transaction.atomic
def cancel_export(*, run: ExportRun, actor: Actor) -> ExportRun:
    """Cancel at once what waits; ask the worker to stop what it is working on.

    Raises RunRefused where it has ended.
    """
    jobs.cancel(run, "an export")
    record(actor=actor, action="cancel_export", subject=run, new={"state": run.state})
    return run


@transaction.atomic
def open_export(*, run: ExportRun, actor: Actor) -> IO[bytes] | None:
    """Return the open file of a finished export, None where there is none; the trail keeps who."""
    try:
        file = file_of(run).open("rb") if run.is_ready else None
    except FileNotFoundError:
        return None
    if file is not None:
        record(actor=actor, action="download_export", subject=run, new={"sha256": run.sha256})
    return file


def sweep() -> int:
    """Wake a worker for what waits, remove what has had its days; return how many wait."""
    _remove_old()
    _remove_abandoned()
    return jobs.sweep(ExportRun, RUN_EXPORT)


def file_of(run: ExportRun) -> Path:
    """Return where the file of an export lies."""
    return folder() / f"{run.pk.hex}.zip"


def draft_of(run: ExportRun) -> Path:
    """Return where the holder of a lease writes."""
    return folder() / f"{AT_WORK}{run.lease.hex}.zip"


def folder() -> Path:
    """Return the directory of all exports, made if need be, for its owner only."""
    path = Path(settings.NOCTURNE_VAR) / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _remove_old() -> None:
    before = timezone.now() - timedelta(days=settings.NOCTURNE_EXPORT_DAYS)
    old = ExportRun.objects.filter(
        state=RunState.DONE, removed_at=None, finished_at__lt=before
    ).select_related("study")
    for run in old:
        with transaction.atomic():
            if ExportRun.objects.filter(pk=run.pk, removed_at=None).update(
                removed_at=timezone.now()
            ):
                record(actor=SYSTEM, action="remove_export", subject=run)
        file_of(run).unlink(missing_ok=True)


def _remove_abandoned() -> None:
    """Remove what killed workers left half written."""
    # Listed before the leases: a draft that begins meanwhile is not in the list.
    drafts = list(folder().glob(f"{AT_WORK}*.zip"))
    held = ExportRun.objects.filter(state=RunState.RUNNING).exclude(lease=None)
    names = {f"{AT_WORK}{lease.hex}.zip" for lease in held.values_list("lease", flat=True)}
    for path in drafts:
        if path.name not in names:
            path.unlink(missing_ok=True)
