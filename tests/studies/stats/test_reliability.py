import numpy as np
import pytest

from studies.stats.change import Direction
from studies.stats.errors import NotConverged, NotEstimable, StatisticsError, TooFewObservations
from studies.stats.reliability import (
    ChangeClass,
    omega,
    reliable_change,
    retest_agreement,
    scale_figures,
)
from tests.studies.stats.reference_trials import numbers
from tests.studies.stats.references import TOLERANCE, needs_references, results

ITEMS = ("N1", "N2", "N3", "N4", "N5")


@needs_references
def test_a_scale_has_the_figures_of_psych() -> None:
    expected = results("s05_items_bfi_N")
    ours = scale_figures(numbers("s05_items_bfi_N", *ITEMS))
    assert (ours.n, ours.n_incomplete) == (expected["n_complete"], 400 - expected["n_complete"])
    assert ours.alpha.value == pytest.approx(expected["alpha"], rel=TOLERANCE)
    assert [ours.alpha.ci_low, ours.alpha.ci_high] == pytest.approx(
        expected["alpha_ci95_feldt"], rel=TOLERANCE
    )
    assert ours.alpha_standardised == pytest.approx(expected["alpha_standardised"], rel=TOLERANCE)
    for item, rest, without in zip(
        ours.items, expected["item_rest_r"], expected["alpha_if_dropped"], strict=True
    ):
        assert item.rest_correlation == pytest.approx(rest["r"], rel=TOLERANCE)
        assert item.alpha_without == pytest.approx(without["alpha"], rel=TOLERANCE)
    assert ours.omega == pytest.approx(expected["omega_total_1factor_ML_correlation"], abs=1e-6)
    assert ours.standard_error == pytest.approx(expected["sem_alpha"], rel=TOLERANCE)
    assert ours.smallest_detectable_change == pytest.approx(expected["sdc_95"], rel=TOLERANCE)


def test_omega_finds_the_loadings_it_was_made_of() -> None:
    loadings = np.array([0.8, 0.7, 0.6, 0.5])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1)
    unique = (1 - loadings**2).sum()
    expected = loadings.sum() ** 2 / (loadings.sum() ** 2 + unique)
    assert omega(correlation) == pytest.approx(expected, abs=1e-8)
    with pytest.raises(NotConverged, match="one factor"):
        omega(np.array([[1, 0.9, 0.9], [0.9, 1, 0.1], [0.9, 0.1, 1.0]]))


def test_items_that_one_factor_does_not_fit_keep_their_alpha() -> None:
    # The second and third item share all they have with the first and nothing with each other.
    random = np.random.default_rng(3)
    second, third = random.normal(size=(2, 60))
    items = np.column_stack([second + third + 0.1 * random.normal(size=60), second, third])
    found = scale_figures(items)
    assert found.omega is None
    assert found.alpha.value > 0.5
    assert found.standard_error > 0


def test_agreement_counts_a_shift_between_two_measurements() -> None:
    first = np.array([5.0, 9, 12, 7, 15, 10])
    assert retest_agreement(first, first) == pytest.approx(1)
    assert retest_agreement(first, first + 4) < 0.7
    with pytest.raises(TooFewObservations, match="got 2"):
        retest_agreement([1, 2], [1, 2])
    with pytest.raises(NotEstimable, match="differ"):
        retest_agreement([3, 3, 3], [3, 3, 3])


def test_a_change_is_reliable_beyond_chance_and_recovered_past_the_cut_off() -> None:
    classes = reliable_change(
        [15, 15, 15, 10, np.nan], [4, 9, 14, 18, 3], standard_error=1.5, cut_off=5
    )
    assert classes == [
        ChangeClass.RECOVERED, ChangeClass.IMPROVED, ChangeClass.UNCHANGED,
        ChangeClass.DETERIORATED, None,
    ]  # fmt: skip
    higher = reliable_change([70], [90], standard_error=3, cut_off=85, direction=Direction.HIGHER)
    assert higher == [ChangeClass.RECOVERED]
    with pytest.raises(StatisticsError, match="positive standard error"):
        reliable_change([1], [2], standard_error=0, cut_off=5)


def test_items_that_say_nothing_are_refused() -> None:
    with pytest.raises(TooFewObservations, match="two items"):
        scale_figures([[1], [2], [3]])
    with pytest.raises(TooFewObservations, match="2 items, got 2"):
        scale_figures([[1, 2], [2, 1], [np.nan, 1]])
    with pytest.raises(NotEstimable, match="constant"):
        scale_figures([[1, 2], [1, 1], [1, 3]])
