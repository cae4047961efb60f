"""Bringing a study to its end: closed, locked and unblinded."""

from studies.models.lock import LooseKind
from studies.models.study import Study
from studies.services.closing.locks import lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM

STAYS_OPEN = dict.fromkeys(LooseKind, "it changes no result")


def end(study: Study) -> Study:
    """Close, lock and unblind a study."""
    close_study(study=study, actor=SYSTEM, reason="all done")
    lock_database(study=study, actor=SYSTEM, reasons=STAYS_OPEN)
    return unblind_study(study=study, actor=SYSTEM, reason="the data are complete")
