"""Two hundred people, four arms, and guessers who count what there is so far."""

from dataclasses import replace

import pytest

from studies.design.errors import ProtocolError
from studies.design.parts import Factor
from studies.design.protocol import Protocol, four_arms
from studies.design.simulation import SimulationReport, simulate

FOUR_STRATA = (Factor("sex", ("f", "m")), Factor("band", ("low", "high")))
PLAN = replace(four_arms(), factors=FOUR_STRATA)


def run(protocol: Protocol, n_trials: int = 40) -> SimulationReport:
    return simulate(protocol, n_participants=200, n_trials=n_trials, seed=1)


def test_blocks_balance_within_strata_and_can_be_guessed_at_times() -> None:
    report = run(PLAN)
    assert 2 < report.overall.mean < 3.6
    assert 0.42 < report.guessed_in_stratum < 0.46
    assert report.guessed == report.guessed_in_stratum
    assert report.chance == 0.25
    assert [stratum.label for stratum in report.strata] == list(PLAN.strata)
    # Half of the largest block is as far as a begun block can be off in one stratum.
    assert max(stratum.spread.highest for stratum in report.strata) <= 3
    assert {level.label for level in report.levels} == {"sex=f", "sex=m", "band=low", "band=high"}
    assert sum(mean for _arm, mean in report.arm_means) == pytest.approx(200)


def test_simple_randomisation_cannot_be_guessed_and_balances_nothing() -> None:
    report = run(replace(PLAN, method="simple", factors=()))
    assert 0.23 < report.guessed < 0.27
    assert report.overall.mean > 11


def test_minimisation_balances_the_whole_study_better_than_blocks() -> None:
    plan = replace(PLAN, method="minimisation")
    report = run(plan)
    assert report.overall.mean < 2.6
    assert 0.36 < report.guessed < 0.45
    assert max(level.spread.mean for level in report.levels) < 3.5
    calmer = run(replace(plan, chance_percent=60))
    assert calmer.guessed < report.guessed


def test_a_sequence_that_runs_out_is_counted() -> None:
    assert run(PLAN, 5).exhausted == 0
    assert run(replace(PLAN, slots_per_stratum=30), 5).exhausted == 1


def test_the_same_seed_gives_the_same_report() -> None:
    assert run(PLAN, 3) == run(PLAN, 3)
    assert simulate(PLAN, n_participants=50, n_trials=3, seed=2) != simulate(
        PLAN, n_participants=50, n_trials=3, seed=3
    )


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"method": "list"}, {}),
        ({}, {"n_participants": 0}),
        ({}, {"n_participants": 2001}),
        ({}, {"n_trials": 0}),
        ({}, {"seed": -1}),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    changes: dict[str, object], asked: dict[str, int]
) -> None:
    settings = {"n_participants": 10, "n_trials": 1, "seed": 1} | asked
    with pytest.raises(ProtocolError, match="got"):
        simulate(replace(PLAN, **changes), **settings)
