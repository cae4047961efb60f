"""A statistician's own randomisation list: read from CSV, checked, sealed as one text.

The file has a line of names and then a slot a line: ``stratum,arm``, in the order in which each
stratum's slots are to be used; other columns are refused, so that nothing is silently left out.
A study without factors has one stratum, whose label is empty.

What is published when the study opens commits to each stratum's arms, an arm a line, as with
`stream.commitment_to` under ``imported-list-1``; the seed is 32 random bytes sealed with the list.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studies.design.errors import ProtocolFaults, SealBroken
from studies.design.stream import commitment_to, key_of

ALGORITHM = "imported-list-1"
COLUMNS = ["stratum", "arm"]
BYTES_MAX = 2**20
FAULTS_TOLD = 20
# How far an arm's share of all slots may be from its ratio, as a part of that ratio.
TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class StratumList:
    """One stratum's slots and the seed of its commitment; `sealed_text` is what goes under seal."""

    stratum: str
    seed: bytes
    arms: tuple[str, ...]

    @property
    def commitment(self) -> str:
        """The hex SHA-256 that is published at opening and binds every slot."""
        key = key_of(self.seed, ALGORITHM, self.stratum)
        return commitment_to(key, ALGORITHM, self.stratum, self.arms)

    @property
    def sealed_text(self) -> bytes:
        """The seed and the arms as one text."""
        return json.dumps({"seed": self.seed.hex(), "arms": self.arms}).encode()

    @classmethod
    def from_sealed_text(cls, stratum: str, text: bytes) -> "StratumList":
        """Return the list that `sealed_text` was made of.

        Raises
        ------
        SealBroken
            It is another text.
        """
        try:
            plain = json.loads(text)
            return cls(stratum, bytes.fromhex(plain["seed"]), tuple(plain["arms"]))
        except (ValueError, KeyError, TypeError) as error:
            raise SealBroken from error


def read_list(
    text: str, *, arms: Sequence[str], ratios: Sequence[int], strata: Sequence[str], n_at_least: int
) -> dict[str, tuple[str, ...]]:
    """Return the arms of each stratum in order.

    Parameters
    ----------
    text : str
        The CSV file.
    arms, ratios : sequence
        Of the protocol.
    strata : sequence of str
        Every one needs slots.
    n_at_least : int
        How many slots all strata need together.

    Raises
    ------
    ProtocolFaults
        Everything that is wrong with the list, at once.
    """
    if len(text.encode()) > BYTES_MAX:
        raise ProtocolFaults([f"expected a list of {BYTES_MAX} bytes at most, got more."])
    found: dict[str, list[str]] = {stratum: [] for stratum in strata}
    faults = list(_rows(text, set(arms), found))
    if not faults:
        faults = list(_faults(found, dict(zip(arms, ratios, strict=True)), n_at_least))
    if faults:
        left_out = len(faults) - FAULTS_TOLD
        more = [f"and {left_out} more"] if left_out > 0 else []
        raise ProtocolFaults([*faults[:FAULTS_TOLD], *more])
    return {stratum: tuple(slots) for stratum, slots in found.items()}


def _rows(text: str, arms: set[str], found: dict[str, list[str]]) -> Iterator[str]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        names = next(reader, [])
        if names != COLUMNS:
            yield f"expected the columns {','.join(COLUMNS)}, got {','.join(names)!r}."
            return
        for row in reader:
            yield from _row(row, reader.line_num, arms, found)
    except csv.Error as error:
        yield f"expected a CSV file, got one that cannot be read: {error}."


def _row(row: list[str], line: int, arms: set[str], found: dict[str, list[str]]) -> Iterator[str]:
    if len(row) != len(COLUMNS):
        yield f"line {line}: expected a stratum and an arm, got {len(row)} values."
        return
    stratum, arm = row
    if stratum not in found:
        yield f"line {line}: expected a stratum of the protocol, got {stratum!r}."
    if arm not in arms:
        # The arm itself is not repeated: a message is no place for a slot.
        yield f"line {line}: expected the code of an arm, got another."
    if stratum in found and arm in arms:
        found[stratum].append(arm)


def _faults(
    found: Mapping[str, list[str]], ratios: Mapping[str, int], n_at_least: int
) -> Iterator[str]:
    for stratum, slots in found.items():
        if not slots:
            yield f"expected slots for every stratum, got none for {stratum or 'the study'!r}."
    n_slots = sum(map(len, found.values()))
    if n_slots < n_at_least:
        yield f"expected {n_at_least} slots or more, got {n_slots}."
    if not n_slots:
        return
    counted = Counter(arm for slots in found.values() for arm in slots)
    unit = sum(ratios.values())
    for arm, ratio in ratios.items():
        share, wanted = counted[arm] / n_slots, ratio / unit
        if abs(share - wanted) > TOLERANCE * wanted:
            yield f"expected {wanted:.0%} of the slots for {arm}, got {share:.0%}."
    if all(_tells_its_end(slots, ratios) for slots in found.values()):
        yield (
            f"expected blocks that cannot be guessed, got blocks of {unit} throughout. "
            "Vary the size of the blocks."
        )


def _tells_its_end(slots: Sequence[str], ratios: Mapping[str, int]) -> bool:
    """Whether every run of as many slots as the sum of the ratios is a whole block."""
    unit = sum(ratios.values())
    whole = [slots[at : at + unit] for at in range(0, len(slots) - unit + 1, unit)]
    return bool(whole) and all(Counter(block) == Counter(ratios) for block in whole)
