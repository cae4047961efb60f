import json
from collections import Counter
from collections.abc import Callable
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.design.errors import ProtocolError
from studies.design.randomisation import BlockPlan, arm_at, commitment, sequence

GOLDEN = Path(__file__).parents[2] / "golden" / "block_sequence.json"
FOUR = BlockPlan(("CBT", "LSTM-ACM", "MCMG", "GAMC"), (1, 1, 1, 1), (8, 12))

seeds = st.binary(min_size=32, max_size=32)
plans = st.lists(st.integers(1, 3), min_size=2, max_size=5).flatmap(
    lambda ratios: st.sets(st.integers(2, 5), min_size=1, max_size=3).map(
        lambda repeats: BlockPlan(
            tuple(f"arm {n}" for n in range(len(ratios))),
            tuple(ratios),
            tuple(sum(ratios) * times for times in repeats),
        )
    )
)


def test_the_published_vector_is_derived_again() -> None:
    vector = json.loads(GOLDEN.read_text())
    seed = bytes.fromhex(vector["seed"])
    plan = BlockPlan(tuple(vector["arms"]), tuple(vector["ratios"]), tuple(vector["sizes"]))
    slots = sequence(seed, vector["stratum"], plan, vector["n_at_least"])
    assert [slot.arm for slot in slots] == vector["sequence"]
    assert commitment(seed, vector["stratum"], plan, len(slots)) == vector["commitment"]


@settings(max_examples=60, deadline=None)
@given(seed=seeds, plan=plans, n=st.integers(1, 60))
def test_every_block_holds_the_arms_in_their_ratio(seed: bytes, plan: BlockPlan, n: int) -> None:
    slots = sequence(seed, "sex=female", plan, n)
    assert len(slots) >= n
    for _number, block in groupby(slots, key=lambda slot: slot.block):
        arms = [slot.arm for slot in block]
        repeats = len(arms) // sum(plan.ratios)
        assert len(arms) in plan.sizes
        expected = {a: r * repeats for a, r in zip(plan.arms, plan.ratios, strict=True)}
        assert Counter(arms) == expected


@settings(max_examples=30, deadline=None)
@given(seed=seeds, slot=st.integers(0, 59))
def test_one_slot_is_derived_as_in_the_whole_sequence(seed: bytes, slot: int) -> None:
    assert arm_at(seed, "s", FOUR, slot) == sequence(seed, "s", FOUR, 60)[slot].arm


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_a_longer_sequence_begins_with_the_shorter_one(seed: bytes) -> None:
    short = sequence(seed, "s", FOUR, 20)
    assert sequence(seed, "s", FOUR, 200)[: len(short)] == short


def test_strata_of_one_seed_have_different_sequences() -> None:
    seed = bytes(32)
    women, men = (sequence(seed, stratum, FOUR, 200) for stratum in ("sex=female", "sex=male"))
    assert women != men


def test_block_sizes_vary_and_neighbours_are_not_predictable() -> None:
    slots = sequence(bytes(range(32)), "s", FOUR, 4000)
    sizes = Counter(len(list(block)) for _n, block in groupby(slots, key=lambda s: s.block))
    assert set(sizes) == {8, 12}
    assert 0.4 < sizes[8] / sizes.total() < 0.6
    same = sum(a.arm == b.arm for a, b in pairwise(slots)) / len(slots)
    assert 0.10 < same < 0.20


def test_the_commitment_changes_with_seed_stratum_and_length() -> None:
    hashes = {
        commitment(bytes(32), "a", FOUR, 40),
        commitment(bytes(31) + b"\x01", "a", FOUR, 40),
        commitment(bytes(32), "b", FOUR, 40),
        commitment(bytes(32), "a", FOUR, 80),
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((4,), "larger than 4"),
        ((), "multiples of 4"),
        ((6,), "multiples of 4"),
        ((8, 10), "multiples of 4"),
        ((-8,), "multiples of 4"),
        ((8, 8), "distinct"),
    ],
)
def test_block_sizes_that_unbalance_or_tell_are_refused(
    sizes: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        BlockPlan(FOUR.arms, FOUR.ratios, sizes)


def test_a_short_seed_an_empty_sequence_and_a_negative_slot_are_refused() -> None:
    with pytest.raises(ProtocolError, match="32 bytes, got 5"):
        sequence(b"short", "s", FOUR, 8)
    with pytest.raises(ProtocolError, match="1 or more slots"):
        sequence(bytes(32), "s", FOUR, 0)
    with pytest.raises(ProtocolError, match="0 or more"):
        arm_at(bytes(32), "s", FOUR, -1)


def test_the_code_on_the_documents_page_derives_the_published_vector() -> None:
    page = (Path(__file__).parents[3] / "docs" / "trial.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    theirs: dict[str, Callable[..., object]] = {}
    exec(code, theirs)  # noqa: S102 -- our own page
    vector = json.loads(GOLDEN.read_text())
    seed = bytes.fromhex(vector["seed"])
    plan = (vector["arms"], vector["ratios"], vector["sizes"])
    derived = theirs["derive"](seed, vector["stratum"], *plan, vector["n_at_least"])
    assert derived == vector["sequence"]
    assert theirs["commitment"](seed, vector["stratum"], derived) == vector["commitment"]
