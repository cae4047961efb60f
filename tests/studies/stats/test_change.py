import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.stats.change import Direction, change, rate_individual, rate_of_means
from studies.stats.errors import StatisticsError
from studies.stats.estimate import POSITIVE_IS_BETTER
from tests.studies.stats.references import TOLERANCE, columns, needs_references, results

SETS = [
    ("s03_sim200", f"{outcome}_0", f"{outcome}_{week}", (outcome, f"change_{week}"), arm)
    for outcome in ("psqi", "cpss")
    for week in (4, 8)
    for arm in ("CBT", "LSTM_ACM", "MCMG", "GAMC")
] + [("s01_anorexia", "pre", "post", ("change",), arm) for arm in ("CBT", "Cont", "FT")]

scores = st.integers(0, 21).map(float) | st.just(float("nan"))


@needs_references
@pytest.mark.parametrize(("name", "before", "after", "path", "arm"), SETS)
def test_r_finds_the_same_changes_and_rates(
    name: str, before: str, after: str, path: tuple[str, ...], arm: str
) -> None:
    expected = results(name)
    for key in path:
        expected = expected[key]
    expected = expected[arm]
    baseline, follow_up = columns(name, before, after, arm=arm)
    points = change(baseline, follow_up)
    individual = rate_individual(baseline, follow_up)
    means = rate_of_means(baseline, follow_up)
    assert (points.n, individual.n_zero_baseline, individual.mean.n) == (
        expected["n_pairs"], expected["n_zero_baseline"], expected["n_rate"],
    )  # fmt: skip
    for ours, theirs in (
        (points.value, expected["change_mean"]),
        (points.sd, expected["change_sd"]),
        ([points.ci_low, points.ci_high], expected["change_ci95_t"]),
        (individual.mean.value, expected["rate_mean"]),
        (individual.mean.sd, expected["rate_sd"]),
        (individual.median, expected["rate_median"]),
        ([individual.mean.ci_low, individual.mean.ci_high], expected["rate_ci95_t"]),
        (means.value, expected["rate_of_means"]),
        ([means.ci_low, means.ci_high], expected["rate_of_means_ci95_fieller"]),
    ):
        assert ours == pytest.approx(theirs, rel=TOLERANCE)


def test_zero_baselines_are_counted_and_left_out_of_individual_rates_only() -> None:
    baseline, follow_up = [0, 10, 20], [5, 5, 10]
    individual = rate_individual(baseline, follow_up)
    assert (individual.n_pairs, individual.n_zero_baseline) == (3, 1)
    assert (individual.mean.value, individual.median) == (50.0, 50.0)
    assert "1 with a baseline of 0" in individual.mean.warnings[0]
    assert change(baseline, follow_up).n == 3
    assert rate_of_means(baseline, follow_up).value == pytest.approx(100 * (1 - 20 / 30))


def test_the_mean_of_ratios_is_not_the_ratio_of_means() -> None:
    baseline, follow_up = [2, 20], [4, 10]
    assert rate_individual(baseline, follow_up).mean.value == pytest.approx(-25)
    assert rate_of_means(baseline, follow_up).value == pytest.approx(100 * (1 - 14 / 22))


def test_positive_is_improvement_for_either_direction() -> None:
    up, down = [10, 12, 14], [12, 15, 18]
    for method in (change, rate_of_means):
        lower = method(down, up, direction=Direction.LOWER)
        higher = method(up, down, direction=Direction.HIGHER)
        assert lower.value > 0
        assert higher.value > 0
        assert lower.sign == higher.sign == POSITIVE_IS_BETTER
        assert higher.ci_low < higher.value < higher.ci_high


def test_without_an_interval_of_fieller_the_delta_method_stands_in_and_says_so() -> None:
    estimate = rate_of_means([-5, 1, 6, 30], [3, 4, 9, 2])
    assert estimate.method == "ratio of means, delta interval"
    assert "delta method stands in" in estimate.warnings[0]
    assert estimate.ci_low < estimate.value < estimate.ci_high


def test_nobody_one_person_and_only_zeros_are_labelled() -> None:
    nan = np.nan
    for method in (change, rate_of_means):
        assert method([nan, 5], [5, nan]).value is None
        assert "nobody" in method([nan, 5], [5, nan]).warnings[0]
        one = method([10], [5])
        assert one.value is not None
        assert one.ci_low is None
        assert one.warnings == ("one participant alone gives no interval",)
    zeros = rate_individual([0, 0], [1, 2])
    assert (zeros.mean.value, zeros.median, zeros.n_zero_baseline) == (None, None, 2)
    assert "every baseline is 0" in zeros.mean.warnings[0]
    assert "mean is 0" in rate_of_means([0, 0], [1, 2]).warnings[0]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(scores, scores), max_size=12))
def test_no_answers_make_a_result_nan_and_no_interval_misses_its_value(
    pairs: list[tuple[float, float]],
) -> None:
    baseline, follow_up = ([pair[side] for pair in pairs] for side in (0, 1))
    for estimate in (
        change(baseline, follow_up),
        rate_individual(baseline, follow_up).mean,
        rate_of_means(baseline, follow_up),
    ):
        assert estimate.is_estimable or estimate.warnings
        if estimate.ci_low is not None:
            assert estimate.ci_low <= estimate.value + 1e-9
            assert estimate.value <= estimate.ci_high + 1e-9


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(StatisticsError, match="one length"):
        change([1, 2], [1])
