"""Outcomes as plain arrays for the statistics, by participant, instrument, score and week.

Who counts: everybody who was allocated (intention to treat), unless they took their data back.
A missed or unfinished visit is NaN, and stays so. The arm is told only for an unblinded study.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from questionnaires.selectors import score_table
from studies.models.allocation import Allocation
from studies.models.consent import WithdrawalScope
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState

POOLED = "all"
RESPONSES_AT_ONCE = 300


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One study's outcomes.

    `codes` and `arms` are aligned with every array of `values`, which is keyed by instrument, score
    and week. `arms` is ``all`` throughout while the study is blinded.
    """

    codes: tuple[str, ...]
    arms: NDArray[np.str_]
    arm_order: tuple[str, ...]
    values: dict[tuple[str, str, int], NDArray[np.float64]]

    def scores(self, instrument: str, name: str, week: int) -> NDArray[np.float64]:
        """Return one score of one week; NaN throughout where nobody has it yet."""
        missing = np.full(len(self.codes), np.nan)
        return self.values.get((instrument, name, week), missing)


def outcomes_of(study: Study) -> Outcomes:
    """Return the outcomes of everybody who was allocated."""
    codes = analysed_codes(study)
    rows = {code: row for row, code in enumerate(codes)}
    values: dict[tuple[str, str, int], NDArray[np.float64]] = {}
    for batch in _in_batches(study, rows):
        scores = score_table([response for response, *_rest in batch])
        for response, code, week, instrument in batch:
            for name, value in scores[response].items():
                column = values.setdefault((instrument, name, week), np.full(len(codes), np.nan))
                column[rows[code]] = np.nan if value is None else value
    labels = arm_labels(study, codes)
    return Outcomes(
        codes=codes,
        arms=np.array([labels[code] for code in codes], dtype=np.str_),
        arm_order=arm_order(study),
        values=values,
    )


def _in_batches(study: Study, codes: Container[str]) -> Iterator[list[tuple[UUID, str, int, str]]]:
    """Yield what was handed in, a few hundred at a time: the scores of all would fill memory."""
    submitted = Assessment.objects.filter(
        state=AssessmentState.SUBMITTED,
        visit__participant__study=study,
    ).values_list("response_id", "visit__participant__code", "visit__week", "instrument")
    # By study and not by a list of codes: the database keeps every such list in memory.
    rows = (row for row in submitted.iterator() if row[1] in codes)
    while batch := list(islice(rows, RESPONSES_AT_ONCE)):
        yield batch


def analysed_codes(study: Study) -> tuple[str, ...]:
    """Return the codes of everybody who was allocated and left their data, by code.

    By code and not by time of enrolment, so that the order tells nothing of the blocks.
    """
    allocated = Allocation.objects.filter(participant__study=study)
    kept = Participant.objects.filter(pk__in=allocated.values("participant")).exclude(
        withdrawals__scope=WithdrawalScope.DATA
    )
    return tuple(kept.order_by("code").values_list("code", flat=True))


def allocated_codes(study: Study) -> frozenset[str]:
    """Return the codes of everybody who was allocated, whether or not they left their data."""
    allocated = Allocation.objects.filter(participant__study=study)
    return frozenset(allocated.values_list("participant__code", flat=True))


def allocation_times(study: Study) -> dict[str, datetime]:
    """Return when everybody who was allocated was; never to what."""
    allocated = Allocation.objects.filter(participant__study=study)
    return dict(allocated.values_list("participant__code", "allocated_at"))


def arm_order(study: Study) -> tuple[str, ...]:
    """Return the arms in the protocol's order, or the one pool while the study is blinded."""
    if study.is_blinded:
        return (POOLED,)
    return tuple(study.arms.order_by("position").values_list("code", flat=True))


def arm_labels(study: Study, codes: Iterable[str]) -> dict[str, str]:
    """Return the arm of each participant; ``all`` while the study is blinded."""
    if study.is_blinded:
        return dict.fromkeys(codes, POOLED)
    wanted = frozenset(codes)
    allocated = Allocation.objects.filter(participant__study=study)
    pairs = allocated.values_list("participant__code", "arm__code")
    return {code: arm for code, arm in pairs if code in wanted}
