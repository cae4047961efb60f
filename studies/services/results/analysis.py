"""The report of a study: from rows to estimates; pooled while blinded, per arm once unblinded."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from studies import clock
from studies.models.study import Study
from studies.selectors.outcomes import Outcomes, outcomes_of
from studies.stats.change import (
    Direction,
    IndividualRates,
    change,
    rate_individual,
    rate_of_means,
)
from studies.stats.descriptives import Description, describe
from studies.stats.estimate import LOWER_IS_BETTER, Estimate, not_estimable
from studies.stats.responders import ResponderRule, responder_proportion

BASELINE_WEEK = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is analysed of an instrument, and which reading of it makes a responder."""

    instrument: str
    score: str = "total"
    direction: Direction = Direction.LOWER
    responder: ResponderRule | None = None
    responder_text: str = ""


# PSQI: 3 points is the smallest change that matters to people (BMC Med Res Methodol 2024, MIC).
# CPSS: below 26 is outside the band of health-risk stress (Yang & Huang 2003).
OUTCOMES = {
    "psqi": Outcome(
        "psqi", responder=ResponderRule(change_at_least=3), responder_text="3 points lower or more"
    ),
    "cpss": Outcome("cpss", responder=ResponderRule(score_reached=25), responder_text="below 26"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One instrument in one arm at one week; the changes are `None` at baseline."""

    instrument: str
    score: str
    week: int
    arm: str
    description: Description
    mean: Estimate
    change: Estimate | None = None
    rate_individual: IndividualRates | None = None
    rate_of_means: Estimate | None = None
    responders: Estimate | None = None

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Every estimate of the cell, in the order of the results table."""
        rate = self.rate_individual.mean if self.rate_individual else None
        found = (self.mean, self.change, rate, self.rate_of_means, self.responders)
        return tuple(estimate for estimate in found if estimate is not None)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a researcher reads about a study's outcomes at one moment."""

    study: str
    is_synthetic: bool
    is_blinded: bool
    cut_at: datetime
    n_analysed: int
    arms: tuple[str, ...]
    instruments: tuple[str, ...]
    weeks: tuple[int, ...]
    cells: tuple[Cell, ...]

    def cell(self, instrument: str, week: int, arm: str) -> Cell:
        """Return one cell of the report."""
        wanted = (instrument, week, arm)
        return next(c for c in self.cells if (c.instrument, c.week, c.arm) == wanted)


def report(study: Study) -> Report:
    """Return the report of a study as it stands now."""
    plan = study.plan
    outcomes = outcomes_of(study)
    instruments = tuple(dict.fromkeys(name for visit in plan.visits for name in visit.instruments))
    weeks = tuple(visit.week for visit in plan.visits)
    return Report(
        study=study.code,
        is_synthetic=study.is_synthetic,
        is_blinded=study.is_blinded,
        cut_at=clock.now(),
        n_analysed=len(outcomes.codes),
        arms=outcomes.arm_order,
        instruments=instruments,
        weeks=weeks,
        cells=tuple(_cells(outcomes, instruments, weeks)),
    )


def _cells(
    outcomes: Outcomes, instruments: tuple[str, ...], weeks: tuple[int, ...]
) -> Iterator[Cell]:
    for instrument in instruments:
        outcome = OUTCOMES.get(instrument, Outcome(instrument))
        for arm in outcomes.arm_order:
            members = outcomes.arms == arm
            baseline = outcomes.scores(instrument, outcome.score, BASELINE_WEEK)[members]
            for week in weeks:
                values = outcomes.scores(instrument, outcome.score, week)[members]
                yield _cell(outcome, arm, week, baseline, values)


def _cell(
    outcome: Outcome,
    arm: str,
    week: int,
    baseline: NDArray[np.float64],
    values: NDArray[np.float64],
) -> Cell:
    description = describe(values)
    about = (outcome.instrument, outcome.score, week, arm, description, _mean(description))
    if week == BASELINE_WEEK:
        return Cell(*about)
    direction = outcome.direction
    return Cell(
        *about,
        change=change(baseline, values, direction=direction),
        rate_individual=rate_individual(baseline, values, direction=direction),
        rate_of_means=rate_of_means(baseline, values, direction=direction),
        responders=responder_proportion(baseline, values, outcome.responder, direction=direction)
        if outcome.responder
        else None,
    )


def _mean(description: Description) -> Estimate:
    method = "mean, t interval"
    if description.mean is None:
        return not_estimable(
            "mean", n=0, method=method, sign=LOWER_IS_BETTER, unit="points",
            reason="nobody has a score yet",
        )  # fmt: skip
    return Estimate(
        "mean", description.mean, description.ci_low, description.ci_high, description.n, method,
        LOWER_IS_BETTER, "points", sd=description.sd,
        warnings=() if description.n > 1 else ("one participant alone gives no interval",),
    )  # fmt: skip
