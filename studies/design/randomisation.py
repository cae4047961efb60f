"""The concealed sequence: permuted blocks of random size, or one draw after the other.

Both draw from the stream of `stream.py`, so that any language gives the same sequence.

Algorithm ``hmac-sha256-blocks-1``
----------------------------------
Blocks follow one another. A block draws its size from the plan's sizes in ascending order, lists
each arm `ratio * size / sum(ratios)` times in the plan's order, and is shuffled by Fisher and Yates
from the last place down: swap place i with place `draw(i + 1)`. The sequence ends with the first
whole block that reaches the wanted length.

Algorithm ``hmac-sha256-simple-1``
----------------------------------
Each slot draws a number below sum(ratios); it belongs to the first arm whose ratio, added to those
of the arms before it, exceeds the number.

No slot is ever stored: a slot's arm is derived from the seed at the moment it is used. What is
published when the study opens is the commitment to the whole sequence, an arm a line.

References
----------
Matts JP, Lachin JM (1988). Controlled Clinical Trials 9, 327-344.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count, islice
from typing import ClassVar

from studies.design.errors import ProtocolError
from studies.design.stream import SEED_BYTES, WORD, commitment_to, draw, key_of, words

__all__ = ["ALGORITHM", "SEED_BYTES", "WORD", "BlockPlan", "SimplePlan", "Slot"]

ALGORITHM = "hmac-sha256-blocks-1"
SIMPLE_ALGORITHM = "hmac-sha256-simple-1"


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """Arms with their ratios, and the sizes a block may have.

    Raises
    ------
    ProtocolError
        A size is no multiple of the sum of the ratios, or the one size there is equals that sum:
        then the last person of every block is known in advance by whoever remembers the others.
    """

    arms: tuple[str, ...]
    ratios: tuple[int, ...]
    sizes: tuple[int, ...]
    algorithm: ClassVar[str] = ALGORITHM

    def __post_init__(self) -> None:
        unit = sum(self.ratios)
        if not self.sizes or any(size <= 0 or size % unit for size in self.sizes):
            raise ProtocolError(
                f"expected block sizes that are multiples of {unit} (the sum of the ratios), got "
                f"{list(self.sizes)}. Choose for example {2 * unit} and {3 * unit}."
            )
        if len(set(self.sizes)) != len(self.sizes):
            raise ProtocolError(f"expected distinct block sizes, got {list(self.sizes)}.")
        if self.sizes == (unit,):
            raise ProtocolError(
                f"expected blocks larger than {unit}, got {unit} alone, which lets the end of each "
                f"block be guessed. Choose for example {2 * unit} and {3 * unit}."
            )


@dataclass(frozen=True, slots=True)
class SimplePlan:
    """Arms with their ratios; each slot is drawn by itself, as a block of its own."""

    arms: tuple[str, ...]
    ratios: tuple[int, ...]
    algorithm: ClassVar[str] = SIMPLE_ALGORITHM


Plan = BlockPlan | SimplePlan


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the sequence: the number of its block, and its arm."""

    block: int
    arm: str


def sequence(seed: bytes, stratum: str, plan: Plan, n_at_least: int) -> tuple[Slot, ...]:
    """Return the sequence of a stratum, in whole blocks, at least `n_at_least` slots long.

    Parameters
    ----------
    seed : bytes
        32 secret bytes, one seed a stratum.
    stratum : str
        The stratum's label.
    plan : BlockPlan or SimplePlan
    n_at_least : int
        1 or more.

    Raises
    ------
    ProtocolError
        The seed has not 32 bytes, or no slot is asked for.
    """
    if n_at_least < 1:
        raise ProtocolError(f"expected 1 or more slots, got {n_at_least}. Ask for more.")
    slots: list[Slot] = []
    for slot in _slots(key_of(seed, plan.algorithm, stratum), plan):
        if len(slots) >= n_at_least and slot.block != slots[-1].block:
            break
        slots.append(slot)
    return tuple(slots)


def all_slots(seed: bytes, stratum: str, plan: Plan) -> Iterator[Slot]:
    """Return the slots of a stratum one after the other, without end.

    Raises
    ------
    ProtocolError
        The seed has not 32 bytes.
    """
    return _slots(key_of(seed, plan.algorithm, stratum), plan)


def arm_at(seed: bytes, stratum: str, plan: Plan, slot: int) -> str:
    """Return the arm of the slot with this number, counted from 0.

    Raises
    ------
    ProtocolError
        The seed has not 32 bytes, or the number is negative.
    """
    if slot < 0:
        raise ProtocolError(f"expected a slot number of 0 or more, got {slot}.")
    return next(islice(_slots(key_of(seed, plan.algorithm, stratum), plan), slot, None)).arm


def commitment(seed: bytes, stratum: str, plan: Plan, n_slots: int) -> str:
    """Return the hex SHA-256 that is published at opening and binds the whole sequence."""
    key = key_of(seed, plan.algorithm, stratum)
    arms = (slot.arm for slot in sequence(seed, stratum, plan, n_slots))
    return commitment_to(key, plan.algorithm, stratum, arms)


def _slots(key: bytes, plan: Plan) -> Iterator[Slot]:
    draw_all = _drawn_by_themselves if isinstance(plan, SimplePlan) else _blocks
    return draw_all(words(key), plan)


def _drawn_by_themselves(stream: Iterator[int], plan: SimplePlan) -> Iterator[Slot]:
    ends = list(accumulate(plan.ratios))
    for number in count():
        drawn = draw(stream, ends[-1])
        yield Slot(
            number, next(arm for arm, end in zip(plan.arms, ends, strict=True) if drawn < end)
        )


def _blocks(stream: Iterator[int], plan: BlockPlan) -> Iterator[Slot]:
    unit, sizes = sum(plan.ratios), sorted(plan.sizes)
    for number in count():
        repeats = sizes[draw(stream, len(sizes))] // unit
        arms = [
            arm
            for arm, ratio in zip(plan.arms, plan.ratios, strict=True)
            for _ in range(ratio * repeats)
        ]
        for place in range(len(arms) - 1, 0, -1):
            other = draw(stream, place + 1)
            arms[place], arms[other] = arms[other], arms[place]
        yield from (Slot(number, arm) for arm in arms)
