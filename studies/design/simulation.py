"""What a method of allocation does before anybody is allocated: balance, and how far it is guessed.

Many trials are simulated with seeds of their own, none of them a study's. Everybody's levels are
drawn evenly and independently, which is no forecast of who will come: it asks the same of every
method. Figures of one seed are the same on every machine.

The guesser follows the convergence strategy: the next person gets, they say, the arm that fewest
have so far in proportion to the ratios; among several, one at random. They are assumed to see all
arms, which blinded staff do not: the worst case. Two guessers watch, one counting the newcomer's
own stratum, one the whole study.

References
----------
Blackwell D, Hodges JL (1957). Annals of Mathematical Statistics 28, 449-460.
Kernan WN et al. (1999). Journal of Clinical Epidemiology 52, 19-26.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studies.design import minimisation
from studies.design.errors import ProtocolError
from studies.design.methods import (
    Levels,
    minimisation_plan,
    sequence_label,
    sequence_plan,
)
from studies.design.minimisation import Balance
from studies.design.parts import Method
from studies.design.protocol import Protocol
from studies.design.randomisation import all_slots

PARTICIPANTS_MAX, TRIALS_MAX = 2000, 5000

Allocator = Callable[[Levels], str]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart the arms' counts are, most less least in proportion to the ratios."""

    mean: float
    p95: float
    highest: float


@dataclass(frozen=True, slots=True)
class StratumBalance:
    """One level of a factor, or one stratum: who is in it, and the spread of its arms."""

    label: str
    n_mean: float
    spread: Spread


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """What came of the simulated trials."""

    method: str
    n_participants: int
    n_trials: int
    seed: int
    overall: Spread
    arm_means: tuple[tuple[str, float], ...]
    levels: tuple[StratumBalance, ...]
    strata: tuple[StratumBalance, ...]
    chance: float
    guessed_in_stratum: float
    guessed_in_study: float
    exhausted: float

    @property
    def guessed(self) -> float:
        """The better guesser's share of right guesses."""
        return max(self.guessed_in_stratum, self.guessed_in_study)


@dataclass(slots=True)
class _Tally:
    """What one trial after another adds to the report."""

    overall: list[float]
    arms: Counter[str]
    spreads: dict[str, list[float]]
    sizes: Counter[str]
    in_stratum: float = 0.0
    in_study: float = 0.0
    exhausted: int = 0


def simulate(
    protocol: Protocol, *, n_participants: int, n_trials: int, seed: int
) -> SimulationReport:
    """Return what the protocol's method does over many simulated trials.

    Parameters
    ----------
    protocol : Protocol
        Of any method but an imported list, whose slots are what they are.
    n_participants : int
        People a trial, 1-2000.
    n_trials : int
        1-5000.
    seed : int
        0 or more; the same seed gives the same report.

    Raises
    ------
    ProtocolError
        The method is a list, or a number is out of range.
    """
    _refuse(protocol, n_participants, n_trials, seed)
    tally = _Tally([], Counter(), {}, Counter())
    for trial in range(n_trials):
        _add_trial(protocol, n_participants, (seed, trial), tally)
    people = n_participants * n_trials
    labels = [f"{f.name}={level}" for f in protocol.factors for level in f.levels]
    return SimulationReport(
        method=str(protocol.method),
        n_participants=n_participants,
        n_trials=n_trials,
        seed=seed,
        overall=_spread(tally.overall),
        arm_means=tuple((code, tally.arms[code] / n_trials) for code in protocol.arm_codes),
        levels=_balances(labels, tally, n_trials),
        strata=_balances([f"|{label}" for label in protocol.strata], tally, n_trials),
        chance=max(protocol.ratios) / sum(protocol.ratios),
        guessed_in_stratum=tally.in_stratum / people,
        guessed_in_study=tally.in_study / people,
        exhausted=tally.exhausted / n_trials,
    )


def _add_trial(protocol: Protocol, n: int, number: tuple[int, int], tally: _Tally) -> None:
    random = np.random.default_rng(number)
    drawn = {f.name: random.integers(len(f.levels), size=n) for f in protocol.factors}
    allocate = _allocator(protocol, hashlib.sha256(repr(number).encode()).digest())
    ratios = dict(zip(protocol.arm_codes, protocol.ratios, strict=True))
    counts: dict[str, Counter[str]] = {}
    used: Counter[str] = Counter()
    for place in range(n):
        levels = {f.name: f.levels[drawn[f.name][place]] for f in protocol.factors}
        stratum = protocol.stratum_of(levels)
        arm = allocate(levels)
        tally.in_study += _guess(counts.get("", {}), ratios, arm)
        tally.in_stratum += _guess(counts.get(f"|{stratum}", {}), ratios, arm)
        used[sequence_label(protocol, levels)] += 1
        for label in ("", f"|{stratum}", *(f"{name}={level}" for name, level in levels.items())):
            counts.setdefault(label, Counter())[arm] += 1
    tally.exhausted += max(used.values()) > protocol.slots_per_stratum
    tally.arms.update(counts[""])
    tally.overall.append(_range(counts[""], ratios))
    for label, arms in counts.items():
        tally.spreads.setdefault(label, []).append(_range(arms, ratios))
        tally.sizes[label] += arms.total()


def _allocator(protocol: Protocol, secret: bytes) -> Allocator:
    if protocol.method == Method.MINIMISATION:
        return _minimiser(protocol, secret)
    plan = sequence_plan(protocol)
    running: dict[str, Iterator[str]] = {}

    def next_slot(levels: Levels) -> str:
        label = sequence_label(protocol, levels)
        if label not in running:
            running[label] = (slot.arm for slot in all_slots(secret, label, plan))
        return next(running[label])

    return next_slot


def _minimiser(protocol: Protocol, secret: bytes) -> Allocator:
    plan, balance = minimisation_plan(protocol), Balance()
    slots = iter(range(PARTICIPANTS_MAX))

    def next_slot(levels: Levels) -> str:
        arm = minimisation.arm_at(secret, plan, next(slots), balance, levels)
        balance.add(plan, levels, arm)
        return arm

    return next_slot


def _guess(counts: Mapping[str, int], ratios: Mapping[str, int], arm: str) -> float:
    """Return how likely the guess is right: one over the arms that are fewest, or nothing."""
    behind = {code: counts.get(code, 0) / ratio for code, ratio in ratios.items()}
    fewest = min(behind.values())
    return 1 / sum(share == fewest for share in behind.values()) if behind[arm] == fewest else 0.0


def _range(counts: Mapping[str, int], ratios: Mapping[str, int]) -> float:
    scaled = [counts.get(code, 0) / ratio for code, ratio in ratios.items()]
    return max(scaled) - min(scaled)


def _spread(values: Sequence[float]) -> Spread:
    return Spread(float(np.mean(values)), float(np.quantile(values, 0.95)), float(max(values)))


def _balances(labels: Sequence[str], tally: _Tally, n_trials: int) -> tuple[StratumBalance, ...]:
    return tuple(
        StratumBalance(
            label.removeprefix("|"), tally.sizes[label] / n_trials, _spread(tally.spreads[label])
        )
        for label in labels
        if tally.spreads.get(label)
    )


def _refuse(protocol: Protocol, n_participants: int, n_trials: int, seed: int) -> None:
    if protocol.method == Method.LIST:
        raise ProtocolError(
            "expected a method that draws, got an imported list. It is checked when it is imported."
        )
    for name, value, most in (
        ("participants", n_participants, PARTICIPANTS_MAX),
        ("trials", n_trials, TRIALS_MAX),
    ):
        if not 1 <= value <= most:
            raise ProtocolError(f"expected 1 to {most} {name}, got {value}.")
    if seed < 0:
        raise ProtocolError(f"expected a seed of 0 or more, got {seed}.")
