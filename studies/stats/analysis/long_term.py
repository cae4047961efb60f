"""What becomes of responders at visits after the one that decides: who stays, who falls back.

Both are descriptions of one arm: those who responded were not drawn by lot, so that a difference
between the arms' relapses compares people who differ already.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studies.stats.analysis.modelled import Case
from studies.stats.analysis.records import Place, Record
from studies.stats.estimate import POSITIVE_IS_BETTER
from studies.stats.plan.responder_rules import responses
from studies.stats.responders import wilson

Array = NDArray[np.float64]
RELAPSE_SIGN = "positive means more who fell back"


def long_term_records(case: Case) -> list[Record]:
    """Return sustained response and relapse of each arm at each visit after the primary one.

    `sustained`: of those seen at the primary visit and at every one since, who responded at all of
    them. `relapse`: of those who responded at the primary visit and are seen now, who do no longer.
    A plan whose primary visit is the last has none of these.
    """
    visits = list(case.plan.visits)
    if case.outcome.responder is None or case.plan.primary.visit not in visits:
        return []
    at = visits.index(case.plan.primary.visit)
    responded = np.array([_responded(case, column) for column in range(at + 1, len(visits) + 1)])
    return [
        record
        for later in range(1, len(responded))
        for record in _of_arms(case, visits[at + later], responded[: later + 1])
    ]


def _of_arms(case: Case, visit: str, responded: Array) -> Iterator[Record]:
    """Yield both shares of each arm; rows of `responded` are the visits since the primary one."""
    seen = ~np.isnan(responded).any(axis=0)
    stayed = (responded == 1).all(axis=0)
    begun = (responded[0] == 1) & ~np.isnan(responded[-1])
    lost = begun & (responded[-1] == 0)
    for place, arm in enumerate(case.table.levels):
        members = case.table.arms == place
        for method, yes, of, sign in (
            ("sustained", stayed, seen, POSITIVE_IS_BETTER), ("relapse", lost, begun, RELAPSE_SIGN),
        ):  # fmt: skip
            share = wilson(
                int((yes & members).sum()), int((of & members).sum()), level=case.plan.level
            )
            yield Record(
                Place(case.outcome.name, method, visit, arm=arm, role="descriptive"),
                replace(share, label=method, sign=sign),
                "not_estimable",
            )


def _responded(case: Case, column: int) -> Array:
    return responses(
        case.scores[:, 0], case.scores[:, column], case.outcome.responder, case.outcome.direction
    )
