"""What is still open when a database is to be locked: each end by name, kind by kind.

Nothing here tells an arm: deviations that only one arm can have are left out while a study is
blinded, as everywhere.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models

from studies.models.deviation import TELLS_THE_ARM, Deviation, DeviationState
from studies.models.lock import LockState, LooseKind
from studies.models.query import DataQuery, QueryState
from studies.models.safety import ActionItem, AdverseEvent, EventState, ItemState
from studies.models.study import Study
from studies.models.visit import Assessment
from studies.selectors.locks import DONE_WITH


@dataclass(frozen=True, slots=True)
class LooseEnd:
    """One thing that is open: its kind and key, and whom it is about (of a lock on all: nobody)."""

    target: str
    participant: int | None
    code: str


@dataclass(frozen=True, slots=True)
class LooseEnds:
    """Everything of one kind that is open."""

    kind: LooseKind
    ends: tuple[LooseEnd, ...]

    @property
    def codes(self) -> list[str]:
        """Whom they are about, each once."""
        return list(dict.fromkeys(end.code for end in self.ends if end.code))


def loose_ends(study: Study) -> list[LooseEnds]:
    """Return what stands against a lock of the database; empty where everything is settled."""
    found = [
        LooseEnds(kind, tuple(_ends(kind, rows, path))) for kind, rows, path in _open_rows(study)
    ]
    return [group for group in found if group.ends]


def seen_sha256(groups: Sequence[LooseEnds]) -> str:
    """Return what a list is known by, so that a reason is never kept with what nobody saw."""
    targets = sorted(end.target for group in groups for end in group.ends)
    return hashlib.sha256("\n".join(targets).encode()).hexdigest()


def _open_rows(study: Study) -> list[tuple[LooseKind, models.QuerySet, str]]:
    """Return the rows of each kind that are open, and through what they lead to a participant."""
    queries = DataQuery.objects.filter(assessment__visit__participant__study=study)
    sheets = Assessment.objects.filter(visit__participant__study=study)
    items = ActionItem.objects.filter(participant__study=study)
    events = AdverseEvent.objects.filter(participant__study=study).exclude(criteria=[])
    deviations = Deviation.objects.filter(participant__study=study, state=DeviationState.NOTED)
    return [
        (LooseKind.SHEET, sheets.exclude(state__in=DONE_WITH), "visit__participant"),
        (
            LooseKind.QUERY,
            queries.exclude(state=QueryState.CLOSED),
            "assessment__visit__participant",
        ),
        (LooseKind.ITEM, items.exclude(state=ItemState.DONE), "participant"),
        (LooseKind.EVENT, events.exclude(state=EventState.CLOSED), "participant"),
        (LooseKind.DEVIATION, deviations.exclude(kind__in=TELLS_THE_ARM), "participant"),
        (LooseKind.UNLOCKING, study.locks.filter(state=LockState.UNLOCK_ASKED), "participant"),
    ]


def _ends(kind: LooseKind, rows: models.QuerySet, path: str) -> list[LooseEnd]:
    values = rows.order_by("pk").values_list("pk", f"{path}_id", f"{path}__code")
    return [LooseEnd(f"{kind}:{key}", participant, code or "") for key, participant, code in values]
