"""Write an export on a worker: claim the row, write the ZIP, publish it by one rename."""

import logging
import os
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction

from studies.models.export import ExportRun
from studies.models.jobs import RunState
from studies.services.results.export import Tell, write_export
from studies.services.results.exports import draft_of, file_of
from studies.services.results.jobs import Stopped, claim, end, go_on, hand_in
from studies.services.trail.audit import SYSTEM, record

logger = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0


def run_next(key: UUID) -> ExportRun | None:
    """Write the export that was named, if it is still due; None where it is not."""
    run = claim(ExportRun, key)
    if run is None:
        return None
    draft = draft_of(run)
    try:
        facts = _work(run, draft)
        _publish(run, draft, facts)
    except Stopped:
        end(run, RunState.CANCELLED)
    except Exception as error:
        logger.exception("export %s", run.pk)
        end(run, RunState.FAILED, f"{type(error).__name__}: {error}")
    finally:
        draft.unlink(missing_ok=True)
    run.refresh_from_db()
    return run


def _work(run: ExportRun, draft: Path) -> dict[str, Any]:
    """Write the file; return what the row keeps of it."""
    # Read after the claim: the study may have been unblinded since the export was asked for.
    with open(draft, "w+b", opener=_for_its_owner) as file:
        written = write_export(run.study, file, _now_and_then(run))
    return {
        "cut_at": written.cut_at,
        "is_blinded": written.is_blinded,
        "n_analysed": written.n_analysed,
        "n_bytes": draft.stat().st_size,
        "sha256": written.sha256,
    }


@transaction.atomic
def _publish(run: ExportRun, draft: Path, facts: dict[str, Any]) -> None:
    hand_in(run, facts)
    draft.replace(file_of(run))
    record(actor=SYSTEM, action="finish_export", subject=run, new=facts)


def _now_and_then(run: ExportRun) -> Tell:
    """Return what reports progress once a second: an export tells of every chunk."""
    told_at = -REPORT_EVERY_S

    def tell(share: float, what: str) -> None:
        nonlocal told_at
        now = monotonic()
        if now - told_at >= REPORT_EVERY_S:
            told_at = now
            go_on(run, share, what)

    return tell


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
