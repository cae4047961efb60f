"""The four ways to allocate behind one door: how many sequences, what binds them, whose arm next.

Simple randomisation and minimisation have one sequence for the whole study, blocks and imported
lists one a stratum. What lies under seal of a sequence is its secret: a seed of 32 bytes, or of a
list its text (`imported_list.StratumList.sealed_text`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from studies.design import minimisation, randomisation
from studies.design.imported_list import StratumList
from studies.design.minimisation import Balance, MinimisationPlan
from studies.design.parts import Method
from studies.design.protocol import Protocol
from studies.design.randomisation import BlockPlan, SimplePlan

WHOLE_STUDY = ""
# Whoever simulates or is asked for the next slot without levels of anybody.
NOBODY: tuple[()] = ()

Levels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Given:
    """Somebody who has an arm already: their levels, and the arm."""

    levels: Levels
    arm: str


def sequence_labels(protocol: Protocol) -> tuple[str, ...]:
    """Return the labels of the study's sequences."""
    has_strata = protocol.method in {Method.BLOCKS, Method.LIST}
    return protocol.strata if has_strata else (WHOLE_STUDY,)


def sequence_label(protocol: Protocol, levels: Levels) -> str:
    """Return the label of the sequence that somebody with these levels belongs to."""
    has_strata = protocol.method in {Method.BLOCKS, Method.LIST}
    return protocol.stratum_of(levels) if has_strata else WHOLE_STUDY


def n_slots(protocol: Protocol, label: str, secret: bytes) -> int:
    """Return how many slots a sequence has: at least those planned, in whole blocks."""
    if protocol.method == Method.LIST:
        return len(StratumList.from_sealed_text(label, secret).arms)
    if protocol.method == Method.BLOCKS:
        planned = protocol.slots_per_stratum
        return len(randomisation.sequence(secret, label, protocol.blocks, planned))
    return protocol.slots_per_stratum


def commitment(protocol: Protocol, label: str, secret: bytes, slots: int) -> str:
    """Return the hash that is published at opening and binds a sequence of so many slots."""
    if protocol.method == Method.LIST:
        return StratumList.from_sealed_text(label, secret).commitment
    if protocol.method == Method.MINIMISATION:
        return minimisation.commitment(secret, slots)
    return randomisation.commitment(secret, label, sequence_plan(protocol), slots)


def arm_of_slot(
    protocol: Protocol,
    label: str,
    secret: bytes,
    slot: int,
    *,
    newcomer: Levels,
    before: Iterable[Given] = NOBODY,
) -> str:
    """Return the arm of a slot, counted from 0.

    Parameters
    ----------
    newcomer : mapping of str to str
        The levels of whoever gets the slot; minimisation balances them.
    before : iterable of Given
        Everybody who got the slots before, in any order; read by minimisation only.
    """
    if protocol.method == Method.LIST:
        return StratumList.from_sealed_text(label, secret).arms[slot]
    if protocol.method != Method.MINIMISATION:
        return randomisation.arm_at(secret, label, sequence_plan(protocol), slot)
    plan, balance = minimisation_plan(protocol), Balance()
    for given in before:
        balance.add(plan, given.levels, given.arm)
    return minimisation.arm_at(secret, plan, slot, balance, newcomer)


def sequence_plan(protocol: Protocol) -> BlockPlan | SimplePlan:
    """Return what a drawn sequence is drawn by: blocks, or one slot after the other."""
    return protocol.blocks or SimplePlan(protocol.arm_codes, protocol.ratios)


def minimisation_plan(protocol: Protocol) -> MinimisationPlan:
    """Return what minimisation balances, and how."""
    return MinimisationPlan(
        protocol.arm_codes,
        protocol.ratios,
        tuple(factor.name for factor in protocol.factors),
        protocol.distance,
        protocol.chance_percent,
    )
