import numpy as np
import pytest
from scipy.special import ndtr

from studies.stats.errors import StatisticsError
from studies.stats.multivariate_t import outside, two_sided_critical


def exact_for_equal_correlations(bound: float, k: int) -> float:
    """Return P(some |Z_i| > bound) for correlations of a half, by the one factor they share."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(160)
    inside = ndtr((bound - np.sqrt(0.5) * nodes) / np.sqrt(0.5)) - ndtr(
        (-bound - np.sqrt(0.5) * nodes) / np.sqrt(0.5)
    )
    return 1 - float(weights @ inside**k) / weights.sum()


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_equal_correlations_agree_with_their_one_dimensional_form(k: int) -> None:
    correlation = np.full((k, k), 0.5) + 0.5 * np.eye(k)
    ours = outside(2.3, correlation, None)
    assert ours == pytest.approx(exact_for_equal_correlations(2.3, k), abs=1e-8 if k < 6 else 1e-5)


def test_one_comparison_is_student_t() -> None:
    assert outside(2.0, np.eye(1), 10) == pytest.approx(0.07338803477074037, rel=1e-10)
    assert two_sided_critical(np.eye(1), 10, 0.95) == pytest.approx(2.2281388519649385, rel=1e-8)


def test_more_degrees_of_freedom_lead_to_the_normal() -> None:
    correlation = np.full((3, 3), 0.4) + 0.6 * np.eye(3)
    assert outside(2.2, correlation, 1e6) == pytest.approx(
        outside(2.2, correlation, None), abs=1e-6
    )


def test_comparisons_that_follow_from_each_other_are_refused() -> None:
    with pytest.raises(StatisticsError, match="singular"):
        outside(2.0, np.ones((2, 2)), 20)
