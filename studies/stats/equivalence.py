"""Non-inferiority and equivalence: whether the new arm is not worse by a margin.

A difference that is not significant does not show that two treatments are alike. The question is
put to the interval: non-inferior if its unfavourable end stays within the margin, equivalent if
both ends do (two one-sided tests, whose interval is the 1 - 2 alpha one).

References
----------
Piaggio G et al. (2012). JAMA 308, 2594-2604 (CONSORT extension).
Schuirmann DJ (1987). Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
"""

from dataclasses import dataclass

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from studies.stats.change import Direction
from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.estimate import Estimate


@dataclass(frozen=True, slots=True)
class MarginTest:
    """A contrast judged against a margin.

    Parameters
    ----------
    estimate : float
        Contrast of scores, new arm - reference.
    margin : float
        The largest difference that still counts as alike, in points, positive.
    ci_low, ci_high : float
        The interval that decides: of level 1 - 2 alpha, two-sided.
    p : float
        One-sided (of equivalence: the larger of the two one-sided ones).
    is_shown : bool
        Whether the claim holds at alpha.
    """

    estimate: float
    margin: float
    ci_low: float
    ci_high: float
    p: float
    is_shown: bool


def non_inferiority(
    contrast: Estimate, margin: float, *, direction: Direction, alpha: float = 0.025
) -> MarginTest:
    """Return whether the first arm is not worse than the second by the margin.

    Parameters
    ----------
    contrast : Estimate
        Of scores, new arm - reference, with its standard error.
    margin : float
        Positive, in points.
    direction : Direction
        Which end of the score is the better one.
    alpha : float
        One-sided.

    Raises
    ------
    StatisticsError
        The margin is not positive.
    NotEstimable
        The contrast has no value or no standard error.
    """
    low, high = _interval(contrast, margin, alpha)
    if direction is Direction.LOWER:
        p, is_shown = (
            _lower_tail((contrast.value - margin) / contrast.se, contrast.df),
            high < margin,
        )
    else:
        p, is_shown = (
            _lower_tail(-(contrast.value + margin) / contrast.se, contrast.df),
            low > -margin,
        )
    return MarginTest(contrast.value, margin, low, high, p, is_shown)


def equivalence(contrast: Estimate, margin: float, *, alpha: float = 0.05) -> MarginTest:
    """Return whether the arms differ by less than the margin: two one-sided tests.

    Parameters and errors are those of `non_inferiority`.
    """
    low, high = _interval(contrast, margin, alpha)
    above = _lower_tail((contrast.value - margin) / contrast.se, contrast.df)
    below = _lower_tail(-(contrast.value + margin) / contrast.se, contrast.df)
    is_shown = -margin < low and high < margin
    return MarginTest(contrast.value, margin, low, high, max(above, below), is_shown)


def _interval(contrast: Estimate, margin: float, alpha: float) -> tuple[float, float]:
    if not margin > 0:
        raise StatisticsError(f"expected a positive margin in points, got {margin}.")
    if contrast.value is None or contrast.se is None:
        raise NotEstimable("expected a contrast with a standard error, got none.")
    quantile = ndtri(1 - alpha) if contrast.df is None else stdtrit(contrast.df, 1 - alpha)
    half = float(quantile) * contrast.se
    return contrast.value - half, contrast.value + half


def _lower_tail(ratio: float, df: float | None) -> float:
    return float(ndtr(ratio) if df is None else stdtr(df, ratio))
