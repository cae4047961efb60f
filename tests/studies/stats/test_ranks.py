import numpy as np
import pytest

from studies.stats import ranks
from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.ranks import (
    anova,
    dunn,
    kruskal_wallis,
    levene_median,
    mann_whitney,
    signed_rank,
    welch_anova,
)
from tests.studies.stats.reference_trials import ARMS, numbers, table
from tests.studies.stats.references import TOLERANCE, needs_references, results
from tests.studies.stats.test_effects import week_8


def changes(outcome: str) -> list[np.ndarray]:
    arms = np.array([row["arm"] for row in table("s03_sim200")])
    before, after = numbers("s03_sim200", f"{outcome}_0", f"{outcome}_8").T
    return [(before - after)[arms == arm] for arm in ARMS]


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_tests_of_several_arms_are_those_of_r(outcome: str) -> None:
    samples, expected = changes(outcome), results("s03_sim200")[outcome]["oneway_change8"]
    for test, key, statistic in (
        (kruskal_wallis, "kruskal", "H"), (welch_anova, "welch_anova", "F"),
        (anova, "anova", "F"), (levene_median, "levene_median", "F"),
    ):  # fmt: skip
        ours = test(samples)
        assert ours.statistic == pytest.approx(expected[key][statistic], rel=TOLERANCE)
        assert ours.p == pytest.approx(expected[key]["p"], rel=TOLERANCE)
    for ours, theirs in zip(dunn(samples).values(), expected["dunn"], strict=True):
        assert (ours.statistic, ours.p) == pytest.approx((theirs["z"], theirs["p"]), rel=TOLERANCE)


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_mann_whitney_and_its_shift_are_those_of_r(outcome: str) -> None:
    samples = week_8(outcome)
    for arm in ARMS[1:]:
        expected = results("s03_sim200")[outcome]["effect_sizes_week8_vs_CBT"][arm]["mannwhitney"]
        test, shift = mann_whitney(samples[arm], samples["CBT"])
        assert (test.statistic, test.p) == pytest.approx((expected["W"], expected["p"]), rel=1e-9)
        assert shift.value == pytest.approx(expected["hodges_lehmann"], abs=1e-4)
        assert [shift.ci_low, shift.ci_high] == pytest.approx(expected["hl_ci95"], abs=1e-3)


@needs_references
def test_signed_ranks_are_those_of_r() -> None:
    arms = np.array([row["arm"] for row in table("s03_sim200")])
    pairs = numbers("s03_sim200", "cpss_0", "cpss_8")
    for arm in ARMS:
        expected = results("s03_sim200")["cpss"]["change_8"][arm]["wilcoxon_signed_rank"]
        ours = signed_rank(*pairs[arms == arm].T)
        assert (ours.statistic, ours.p) == pytest.approx((expected["V"], expected["p"]), rel=1e-9)


def test_one_value_only_empty_and_constant_samples_are_refused() -> None:
    with pytest.raises(NotEstimable, match="one value only"):
        kruskal_wallis([[1, 1], [1, 1]])
    with pytest.raises(NotEstimable, match="one value only"):
        dunn([[1, 1], [1, 1]])
    with pytest.raises(NotEstimable, match="constant"):
        welch_anova([[1, 1], [1, 2]])
    with pytest.raises(NotEstimable, match="constant samples"):
        anova([[1, 1], [2, 2]])
    with pytest.raises(TooFewObservations, match=r"sizes \[2, 0\]"):
        kruskal_wallis([[1, 2], [np.nan]])
    with pytest.raises(TooFewObservations, match="1 and 0"):
        mann_whitney([1], [np.nan])
    with pytest.raises(NotEstimable, match="got none"):
        signed_rank([1, 2], [1, 2])


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_order_statistics_of_many_differences_are_found_without_forming_them(
    monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    rng = np.random.default_rng(9)
    a, b = scale * rng.integers(0, 22, 80), scale * rng.integers(0, 22, 90)
    expected = mann_whitney(a, b)[1]
    monkeypatch.setattr(ranks, "MOST_PAIRS", 10)
    found = mann_whitney(a, b)[1]
    assert [found.value, found.ci_low, found.ci_high] == pytest.approx(
        [expected.value, expected.ci_low, expected.ci_high], abs=1e-12
    )
