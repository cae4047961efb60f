"""The concealed sequence: stratified permuted blocks of random size, re-derivable by anyone.

Algorithm ``hmac-sha256-blocks-1``, defined by bytes so that any language gives the same sequence:

1. key = HMAC-SHA256(seed, "hmac-sha256-blocks-1|" + stratum), text as UTF-8.
2. The stream is HMAC-SHA256(key, counter) for counter = 0, 1, 2, ... as 8 bytes big-endian; each
   digest gives four 64-bit words, big-endian.
3. A whole number below n is the next word modulo n; words >= 2**64 - (2**64 mod n) are rejected.
4. Blocks follow one another. A block draws its size from the plan's sizes in ascending order, lists
   each arm `ratio * size / sum(ratios)` times in the plan's order, and is shuffled by Fisher and
   Yates from the last place down: swap place i with place `draw(i + 1)`.
5. The sequence ends with the first whole block that reaches the wanted length.

No slot is ever stored: a slot's arm is derived from the seed at the moment it is used. What is
published when the study opens is the commitment, SHA-256 over a nonce from the seed and the whole
sequence; the nonce keeps the last slots from being guessed from the published hash.

References
----------
Matts JP, Lachin JM (1988). Controlled Clinical Trials 9, 327-344.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from studies.design.errors import ProtocolError

ALGORITHM = "hmac-sha256-blocks-1"
SEED_BYTES = 32
WORD = 2**64


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
class Slot:
    """A place in the sequence: the number of its block, and its arm."""

    block: int
    arm: str


def sequence(seed: bytes, stratum: str, plan: BlockPlan, n_at_least: int) -> tuple[Slot, ...]:
    """Return the sequence of a stratum, in whole blocks, at least `n_at_least` slots long.

    Parameters
    ----------
    seed : bytes
        32 secret bytes, one seed a stratum.
    stratum : str
        The stratum's label.
    plan : BlockPlan
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
    for slot in _slots(_key(seed, stratum), plan):
        if len(slots) >= n_at_least and slot.block != slots[-1].block:
            break
        slots.append(slot)
    return tuple(slots)


def arm_at(seed: bytes, stratum: str, plan: BlockPlan, slot: int) -> str:
    """Return the arm of the slot with this number, counted from 0.

    Raises
    ------
    ProtocolError
        The seed has not 32 bytes, or the number is negative.
    """
    if slot < 0:
        raise ProtocolError(f"expected a slot number of 0 or more, got {slot}.")
    return next(islice(_slots(_key(seed, stratum), plan), slot, None)).arm


def commitment(seed: bytes, stratum: str, plan: BlockPlan, n_slots: int) -> str:
    """Return the hex SHA-256 that is published at opening and binds the whole sequence."""
    key = _key(seed, stratum)
    nonce = hmac.digest(key, b"commitment", "sha256")
    arms = "\n".join(slot.arm for slot in sequence(seed, stratum, plan, n_slots))
    return hashlib.sha256(nonce + f"{ALGORITHM}|{stratum}\n{arms}".encode()).hexdigest()


def _slots(key: bytes, plan: BlockPlan) -> Iterator[Slot]:
    words = _words(key)
    unit, sizes = sum(plan.ratios), sorted(plan.sizes)
    block = 0
    while True:
        repeats = sizes[_draw(words, len(sizes))] // unit
        arms = [
            arm
            for arm, ratio in zip(plan.arms, plan.ratios, strict=True)
            for _ in range(ratio * repeats)
        ]
        for place in range(len(arms) - 1, 0, -1):
            other = _draw(words, place + 1)
            arms[place], arms[other] = arms[other], arms[place]
        yield from (Slot(block, arm) for arm in arms)
        block += 1


def _draw(words: Iterator[int], n: int) -> int:
    limit = WORD - WORD % n
    return next(word for word in words if word < limit) % n


def _words(key: bytes) -> Iterator[int]:
    counter = 0
    while True:
        digest = hmac.digest(key, counter.to_bytes(8, "big"), "sha256")
        yield from (int.from_bytes(digest[at : at + 8], "big") for at in range(0, 32, 8))
        counter += 1


def _key(seed: bytes, stratum: str) -> bytes:
    if len(seed) != SEED_BYTES:
        raise ProtocolError(f"expected a seed of {SEED_BYTES} bytes, got {len(seed)}.")
    return hmac.digest(seed, f"{ALGORITHM}|{stratum}".encode(), "sha256")
