"""Minimisation with a random element: each newcomer mostly gets the arm that balances best.

Algorithm ``hmac-sha256-minimisation-1``
----------------------------------------
1. For each arm, pretend that the newcomer gets it, and add over the factors the distance of the
   arms' counts among those who share the newcomer's level; counts are divided by the arms' ratios.
   Distances are the range (highest less lowest) or the variance of the counts. Without factors,
   everybody shares the one level.
2. The arms with the smallest sum are taken with the stated chance, the others with what is left;
   within each group in proportion to the ratios. Where all arms tie, the ratios alone decide.
3. As whole numbers: with chance c per cent, a best arm weighs c * ratio * R, any other
   (100 - c) * ratio * B, where B and R are the sums of the ratios of the best and of the others.
4. Slot k draws a number below the sum of the weights from the stream whose key is
   HMAC-SHA256(key of the stream, "slot" + k as 8 bytes big-endian); it belongs to the first arm
   whose weight, added to those of the arms before it, exceeds the number.

Whole numbers only, so any language gives the same arm. What is published when the study opens
commits to the first word of each slot's stream, as 16 hexadecimal digits a line.

References
----------
Pocock SJ, Simon R (1975). Biometrics 31, 103-115. Taves DR (1974). Clinical Pharmacology and
Therapeutics 15, 443-453.
"""

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import lcm

from studies.design.errors import ProtocolError
from studies.design.stream import commitment_to, draw, key_of, words

ALGORITHM = "hmac-sha256-minimisation-1"
EVERYBODY = ("", "")
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class MinimisationPlan:
    """Arms with their ratios, the factors to balance, the distance, the chance of the best arm."""

    arms: tuple[str, ...]
    ratios: tuple[int, ...]
    factors: tuple[str, ...]
    distance: str = "range"
    chance_percent: int = 80

    def __post_init__(self) -> None:
        if self.distance not in DISTANCES:
            raise ProtocolError(f"expected range or variance, got {self.distance!r}. Choose one.")
        if not HUNDRED / 2 <= self.chance_percent < HUNDRED:
            raise ProtocolError(
                f"expected a chance of 50 to 99 per cent, got {self.chance_percent}. With 100, "
                "whoever knows the arms so far knows the next one."
            )


@dataclass(slots=True)
class Balance:
    """How many people of each level have which arm."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, plan: MinimisationPlan, levels: Mapping[str, str], arm: str) -> None:
        """Count somebody who got an arm."""
        for factor, level in _cells(plan, levels):
            self.counts[factor, level, arm] += 1


def weights(plan: MinimisationPlan, balance: Balance, levels: Mapping[str, str]) -> tuple[int, ...]:
    """Return how much each arm weighs in the newcomer's draw, in the plan's order.

    Parameters
    ----------
    plan : MinimisationPlan
    balance : Balance
        Of everybody allocated before.
    levels : mapping of str to str
        The newcomer's level of every factor.

    Raises
    ------
    ProtocolError
        A factor's level is not known.
    """
    imbalances = [0] * len(plan.arms)
    unit = lcm(*plan.ratios)
    for factor, level in _cells(plan, levels):
        scaled = [
            balance.counts[factor, level, arm] * unit // ratio
            for arm, ratio in zip(plan.arms, plan.ratios, strict=True)
        ]
        for place, ratio in enumerate(plan.ratios):
            with_newcomer = [*scaled]
            with_newcomer[place] += unit // ratio
            imbalances[place] += DISTANCES[plan.distance](with_newcomer)
    return _weights(plan, [imbalance == min(imbalances) for imbalance in imbalances])


def arm_at(
    seed: bytes, plan: MinimisationPlan, slot: int, balance: Balance, levels: Mapping[str, str]
) -> str:
    """Return the arm that the newcomer gets in this slot, counted from 0; see `weights`."""
    ends = list(accumulate(weights(plan, balance, levels)))
    drawn = draw(_words_of(key_of(seed, ALGORITHM, ""), slot), ends[-1])
    return next(arm for arm, end in zip(plan.arms, ends, strict=True) if drawn < end)


def commitment(seed: bytes, n_slots: int) -> str:
    """Return the hex SHA-256 that is published at opening and binds the draw of every slot."""
    key = key_of(seed, ALGORITHM, "")
    lines = (f"{next(_words_of(key, slot)):016x}" for slot in range(n_slots))
    return commitment_to(key, ALGORITHM, "", lines)


def _words_of(key: bytes, slot: int) -> Iterator[int]:
    return words(hmac.digest(key, b"slot" + slot.to_bytes(8, "big"), "sha256"))


def _cells(plan: MinimisationPlan, levels: Mapping[str, str]) -> list[tuple[str, str]]:
    unknown = [factor for factor in plan.factors if factor not in levels]
    if unknown:
        raise ProtocolError(f"expected a level of {', '.join(unknown)}, got none. Complete it.")
    return [(factor, levels[factor]) for factor in plan.factors] or [EVERYBODY]


def _weights(plan: MinimisationPlan, is_best: Sequence[bool]) -> tuple[int, ...]:
    best = sum(ratio for ratio, good in zip(plan.ratios, is_best, strict=True) if good)
    others = sum(plan.ratios) - best
    if not others:
        return plan.ratios
    chances = {True: plan.chance_percent * others, False: (HUNDRED - plan.chance_percent) * best}
    return tuple(chances[good] * ratio for ratio, good in zip(plan.ratios, is_best, strict=True))


def _range(counts: Sequence[int]) -> int:
    return max(counts) - min(counts)


def _variance(counts: Sequence[int]) -> int:
    # Times the square of the number of arms: a whole number, and the order is the same.
    return len(counts) * sum(count * count for count in counts) - sum(counts) ** 2


DISTANCES = {"range": _range, "variance": _variance}
