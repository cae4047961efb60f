from collections import Counter

import pytest

from studies.design.errors import ProtocolError
from studies.design.minimisation import (
    Balance,
    MinimisationPlan,
    arm_at,
    commitment,
    weights,
)

SEED = bytes(range(32))
TWO = MinimisationPlan(("A", "B"), (1, 1), ("sex", "age"))
# In the manner of Pocock and Simon (1975), three arms and four factors: how many of those who share
# the newcomer's level have each arm. The numbers are ours, the sums below are by hand.
FACTORS = ("one", "two", "three", "four")
COUNTS = {"one": (9, 8, 8), "two": (2, 2, 3), "three": (9, 11, 8), "four": (8, 9, 8)}


def _balance(counts: dict[str, tuple[int, ...]], arms: tuple[str, ...]) -> Balance:
    found = Counter()
    for factor, numbers in counts.items():
        for arm, number in zip(arms, numbers, strict=True):
            found[factor, "x", arm] = number
    return Balance(found)


def test_the_arm_with_the_smallest_sum_of_ranges_weighs_most() -> None:
    plan = MinimisationPlan(("1", "2", "3"), (1, 1, 1), FACTORS, "range", 80)
    levels = dict.fromkeys(FACTORS, "x")
    # Ranges with the newcomer: arm 1: 2+1+3+1=7, arm 2: 1+1+4+2=8, arm 3: 1+2+2+1=6.
    assert weights(plan, _balance(COUNTS, plan.arms), levels) == (20, 20, 160)


def test_variance_can_prefer_another_arm_than_the_range() -> None:
    counts = {"one": (0, 1, 1), "two": (2, 0, 3)}
    levels = dict.fromkeys(counts, "x")
    found = {}
    for distance in ("range", "variance"):
        plan = MinimisationPlan(("1", "2", "3"), (1, 1, 1), ("one", "two"), distance)
        found[distance] = weights(plan, _balance(counts, plan.arms), levels)
    # Ranges with the newcomer: 0+3, 2+2, 2+4. Nine times the variances: 0+18, 6+6, 6+24.
    assert found == {"range": (160, 20, 20), "variance": (20, 160, 20)}


def test_the_first_person_is_drawn_by_the_ratios_alone() -> None:
    plan = MinimisationPlan(("A", "B", "C"), (2, 1, 1), ())
    # Scaled by the ratios, giving the first slot to A unbalances least.
    assert weights(plan, Balance(), {}) == (320, 40, 40)
    assert weights(TWO, Balance(), {"sex": "f", "age": "y"}) == (1, 1)


def test_who_shares_no_level_does_not_count() -> None:
    balance = Balance()
    for _ in range(5):
        balance.add(TWO, {"sex": "m", "age": "old"}, "A")
    assert weights(TWO, balance, {"sex": "f", "age": "young"}) == (1, 1)
    assert weights(TWO, balance, {"sex": "m", "age": "young"}) == (20, 80)


def test_arms_stay_balanced_within_each_level_and_yet_nothing_is_certain() -> None:
    balance, given = Balance(), Counter()
    n_not_best = 0
    for slot in range(400):
        levels = {"sex": "fm"[slot % 2], "age": ("y", "o", "o")[slot % 3]}
        found = weights(TWO, balance, levels)
        arm = arm_at(SEED, TWO, slot, balance, levels)
        n_not_best += found[TWO.arms.index(arm)] < max(found)
        balance.add(TWO, levels, arm)
        given[arm] += 1
        for factor, level in levels.items():
            given[factor, level, arm] += 1
    assert abs(given["A"] - given["B"]) <= 6
    for factor, level in (("sex", "f"), ("sex", "m"), ("age", "y"), ("age", "o")):
        assert abs(given[factor, level, "A"] - given[factor, level, "B"]) <= 8
    assert 30 < n_not_best < 110


def test_unequal_ratios_are_kept() -> None:
    plan = MinimisationPlan(("A", "B"), (3, 1), ("sex",))
    balance, given = Balance(), Counter()
    for slot in range(400):
        levels = {"sex": "fm"[slot % 2]}
        arm = arm_at(SEED, plan, slot, balance, levels)
        balance.add(plan, levels, arm)
        given[arm] += 1
    assert abs(given["A"] - 300) <= 8


def test_an_arm_can_be_derived_again_and_the_commitment_binds_the_draws() -> None:
    levels = {"sex": "f", "age": "y"}
    assert arm_at(SEED, TWO, 7, Balance(), levels) == arm_at(SEED, TWO, 7, Balance(), levels)
    assert commitment(SEED, 100) == commitment(SEED, 100)
    assert commitment(SEED, 100) != commitment(SEED, 101) != commitment(SEED[::-1], 100)


@pytest.mark.parametrize(
    "build",
    [
        lambda: MinimisationPlan(("A", "B"), (1, 1), (), "far"),
        lambda: MinimisationPlan(("A", "B"), (1, 1), (), "range", 100),
        lambda: weights(TWO, Balance(), {"sex": "f"}),
    ],
)
def test_what_cannot_be_minimised_is_refused(build: object) -> None:
    with pytest.raises(ProtocolError, match="got"):
        build()
