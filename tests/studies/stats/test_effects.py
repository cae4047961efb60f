import numpy as np
import pytest

from studies.stats.effects import (
    adjusted_smd,
    glass_delta,
    hedges_g,
    noncentrality_interval,
    normal_interval,
    paired_effects,
    small_sample_factor,
    superiority,
)
from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.estimate import wald
from tests.studies.stats.reference_trials import ARMS, numbers, table
from tests.studies.stats.references import TOLERANCE, needs_references, results


def week_8(outcome: str) -> dict[str, np.ndarray]:
    arms = np.array([row["arm"] for row in table("s03_sim200")])
    values = numbers("s03_sim200", f"{outcome}_8")[:, 0]
    return {arm: values[arms == arm] for arm in ARMS}


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
@pytest.mark.parametrize("arm", ARMS[1:])
def test_effect_sizes_are_those_of_effectsize(outcome: str, arm: str) -> None:
    samples = week_8(outcome)
    expected = results("s03_sim200")[outcome]["effect_sizes_week8_vs_CBT"][arm]
    ours = hedges_g(samples[arm], samples["CBT"])
    assert ours.value == pytest.approx(expected["hedges_g"], rel=1e-10)
    assert [ours.ci_low, ours.ci_high] == pytest.approx(
        expected["hedges_g_ci95_noncentral_t"], abs=1e-5
    )
    assert normal_interval(ours) == pytest.approx(expected["hedges_g_ci95_normal"], rel=TOLERANCE)
    assert small_sample_factor(ours.df) == pytest.approx(expected["J_exact"], rel=1e-10)
    assert glass_delta(samples[arm], samples["CBT"]) == pytest.approx(
        expected["glass_delta"], rel=TOLERANCE
    )
    found = superiority(samples[arm], samples["CBT"])
    assert found.cliffs_delta == pytest.approx(expected["cliffs_delta"], rel=TOLERANCE)
    assert found.probability == pytest.approx(expected["prob_superiority_A"], rel=TOLERANCE)
    assert found.probability_normal == pytest.approx(expected["cles_normal"], rel=TOLERANCE)


@needs_references
def test_the_adjusted_difference_is_the_contrast_over_its_standard_deviation() -> None:
    expected = results("s03_sim200")["psqi"]["ancova_8"]
    contrast = expected["contrasts_vs_ref"][0]
    estimate = wald(
        "x", contrast["estimate"], contrast["SE"], df=contrast["df"], n=176, method="ancova",
        sign="", unit="points",
    )  # fmt: skip
    ours = adjusted_smd(estimate, expected["sigma"], "residual SD")
    theirs = expected["adjusted_smd_vs_ref_residualSD"]["g"][0]
    assert ours.value == pytest.approx(theirs, rel=TOLERANCE)
    assert ours.ci_low < ours.value < ours.ci_high


@needs_references
def test_paired_effects_are_those_of_r() -> None:
    arms = np.array([row["arm"] for row in table("s03_sim200")])
    pairs = numbers("s03_sim200", "psqi_0", "psqi_8")
    for arm in ARMS:
        expected = results("s03_sim200")["psqi"]["change_8"][arm]
        ours = paired_effects(*pairs[arms == arm].T)
        assert ours == pytest.approx((expected["dz"], expected["d_av"]), rel=TOLERANCE)


def test_no_difference_has_an_interval_around_nought() -> None:
    ours = hedges_g([1, 2, 3], [1, 2, 3])
    assert ours.value == 0
    assert ours.ci_low == pytest.approx(-ours.ci_high)


def test_too_few_and_constant_samples_are_refused() -> None:
    with pytest.raises(TooFewObservations, match="got 1 and 3"):
        hedges_g([1, np.nan], [1, 2, 3])
    with pytest.raises(NotEstimable, match="constant"):
        hedges_g([2, 2], [1, 1])
    with pytest.raises(NotEstimable, match="constant"):
        glass_delta([1, 2], [1, 1])
    with pytest.raises(NotEstimable, match="constant"):
        paired_effects([3, 4], [1, 2])


def test_one_degree_of_freedom_has_its_wide_interval() -> None:
    low, high = noncentrality_interval(30.0, 1.0, 0.95)
    assert low < 30 < high
    assert high > 60
