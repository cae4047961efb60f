"""Power by simulation of the real analysis: the trial is made, dropped out of, and analysed.

Each simulated trial has normal scores of one SD and one correlation between any two visits, a
baseline alike in all arms, effects that grow linearly to their full size at the last visit, and
dropout that is the likelier the worse the last observed score (missing at random). It is analysed
by the mixed model with Kenward and Roger's degrees of freedom and the planned adjustment. Trial k
of a seed is always the same trial, whatever the number asked for.

Without dropout and adjustment the power is that of covariance analysis (`power.power_ancova`).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from studies.stats.adjustment import adjusted
from studies.stats.errors import StatisticsError
from studies.stats.estimate import Estimate
from studies.stats.family import Adjustment
from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.small_sample import Inference
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term

Array = NDArray[np.float64]

REFERENCE = "reference"
# How much likelier dropping out is, on the log-odds scale, one SD above the mean score.
WORSE_LEAVE = 0.5


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is believed of a trial.

    Parameters
    ----------
    n_per_arm : int
        Randomised.
    effects : mapping
        Arm -> arm - reference at the last visit, in points.
    sd : float
        Of the scores at any visit.
    correlation : float
        Between any two visits, 0 to 1.
    n_visits : int
        Follow-up visits.
    dropout : float
        Share without the last visit.
    """

    n_per_arm: int
    effects: Mapping[str, float]
    sd: float
    correlation: float = 0.5
    n_visits: int = 2
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.n_per_arm < 3 or not self.effects or not self.sd > 0 or self.n_visits < 1:
            raise StatisticsError(
                "expected 3 participants per arm or more, an effect, a positive SD and a visit, "
                f"got {self.n_per_arm}, {dict(self.effects)}, {self.sd}, {self.n_visits}."
            )
        if not 0 <= self.correlation < 1 or not 0 <= self.dropout < 1:
            raise StatisticsError(
                f"expected correlation and dropout of 0 to 1, got {self.correlation} and "
                f"{self.dropout}."
            )


@dataclass(frozen=True, slots=True)
class SimulatedPower:
    """Shares of simulated trials that reject, with their standard error.

    `by_arm` is of each arm's own adjusted p value, `any_arm` of one or more of them.
    """

    by_arm: Mapping[str, float]
    any_arm: float
    standard_error: float
    n_trials: int
    n_failed: int


def simulate_power(
    scenario: Scenario,
    n_trials: int,
    *,
    adjust: Adjustment = Adjustment.HOLM,
    alpha: float = 0.05,
    seed: int = 1,
    progress: Callable[[int], None] = lambda _done: None,
) -> SimulatedPower:
    """Return how often trials of a scenario find their effects.

    Parameters
    ----------
    scenario : Scenario
    n_trials : int
    adjust : Adjustment
        Of the arms' contrasts with the reference.
    alpha : float
        Two-sided.
    seed : int
    progress : callable
        Told the number of trials done, after each.
    """
    if n_trials < 1:
        raise StatisticsError(f"expected one trial or more, got {n_trials}.")
    rejected = np.zeros((n_trials, len(scenario.effects)), dtype=bool)
    n_failed = 0
    for number in range(n_trials):
        try:
            contrasts = _analysed(scenario, np.random.default_rng([seed, number]), adjust)
            rejected[number] = [
                (contrast.p if contrast.p_adjusted is None else contrast.p_adjusted) < alpha
                for contrast in contrasts
            ]
        except StatisticsError:
            # A trial that cannot be analysed shows nothing: it counts as not rejecting.
            n_failed += 1
        progress(number + 1)
    shares, some = rejected.mean(axis=0), float(rejected.any(axis=1).mean())
    return SimulatedPower(
        dict(zip(scenario.effects, (float(share) for share in shares), strict=True)), some,
        math.sqrt(max(some * (1 - some), 1 / n_trials) / n_trials), n_trials, n_failed,
    )  # fmt: skip


def make_trial(
    scenario: Scenario, rng: np.random.Generator
) -> tuple[NDArray[np.intp], Array, Array]:
    """Return arms, baseline and follow-up scores of one simulated trial."""
    arms = np.repeat(np.arange(len(scenario.effects) + 1), scenario.n_per_arm)
    n, m = len(arms), scenario.n_visits
    shared = rng.normal(size=(n, 1)) * math.sqrt(scenario.correlation)
    own = rng.normal(size=(n, 1 + m)) * math.sqrt(1 - scenario.correlation)
    scores = scenario.sd * (shared + own)
    full = np.array([0.0, *scenario.effects.values()])[arms]
    scores[:, 1:] += full[:, None] * np.arange(1, m + 1) / m
    outcomes = scores[:, 1:].copy()
    _drop_out(scenario, scores, outcomes, rng)
    return arms, scores[:, 0], outcomes


def _drop_out(scenario: Scenario, scores: Array, outcomes: Array, rng: np.random.Generator) -> None:
    if not scenario.dropout:
        return
    each = 1 - (1 - scenario.dropout) ** (1 / scenario.n_visits)
    gone = np.zeros(len(scores), dtype=bool)
    for visit in range(scenario.n_visits):
        before = scores[:, visit]
        standard = (before - before.mean()) / scenario.sd
        gone |= rng.random(len(scores)) < expit(logit(each) + WORSE_LEAVE * standard)
        outcomes[gone, visit] = np.nan


def _analysed(scenario: Scenario, rng: np.random.Generator, adjust: Adjustment) -> list[Estimate]:
    arms, baseline, outcomes = make_trial(scenario, rng)
    arm = Factor("arm", arms, (REFERENCE, *scenario.effects))
    terms = [
        Term(Intercept(len(arms)), OWN), Term(Covariate("baseline", baseline), OWN), Term(arm, OWN),
    ]  # fmt: skip
    design = Design(terms, tuple(str(visit + 1) for visit in range(scenario.n_visits)))
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design))
    last = scenario.n_visits - 1
    zero = design.row(last, {"arm": REFERENCE})
    rows = np.array([design.row(last, {"arm": name}) - zero for name in scenario.effects])
    contrasts = [inference.estimate(row, "contrast", sign="") for row in rows]
    needs = adjust in (Adjustment.DUNNETT, Adjustment.DUNNETT_STEP_DOWN)
    return adjusted(contrasts, adjust, inference.covariance(rows) if needs else None)
