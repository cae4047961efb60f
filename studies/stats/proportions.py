"""Two proportions: difference, ratio, odds ratio, number needed to treat; and tables of arms.

References
----------
Newcombe RG (1998). Statistics in Medicine 17, 873-890 (method 10: square-and-add Wilson limits).
Katz D et al. (1978). Biometrics 34, 469-474.
Altman DG (1998). BMJ 317, 1309-1312.
Clopper CJ, Pearson ES (1934). Biometrika 26, 404-413.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, chdtrc, ndtri
from scipy.stats import fisher_exact

from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.estimate import LEVEL, Estimate, not_estimable, two_sided_p
from studies.stats.responders import wilson

SIGN = "positive means more responders in the first arm"
# Tables that Fisher's test may have to list; above it Pearson's test is as good.
MOST_TABLES = 2_000_000
RATIO_SIGN = "above 1 means more responders in the first arm"


@dataclass(frozen=True, slots=True)
class Count:
    """Responders among participants."""

    n_responders: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.n_responders <= self.n:
            raise StatisticsError(
                f"expected 0 to {self.n} responders, got {self.n_responders}. Check the counts."
            )

    @property
    def share(self) -> float:
        """Responders over participants."""
        return self.n_responders / self.n


def risk_difference(first: Count, second: Count, *, level: float = LEVEL) -> Estimate:
    """Return the difference of two proportions with Newcombe's interval and the chi-square p."""
    about = {"method": "Newcombe interval", "sign": SIGN, "unit": "proportion"}
    n = first.n + second.n
    if not first.n or not second.n:
        return not_estimable("risk_difference", n=n, reason="an arm has nobody", **about)
    low_1, high_1 = _wilson(first, level)
    low_2, high_2 = _wilson(second, level)
    p_1, p_2 = first.share, second.share
    value = p_1 - p_2
    low = value - ((p_1 - low_1) ** 2 + (high_2 - p_2) ** 2) ** 0.5
    high = value + ((high_1 - p_1) ** 2 + (p_2 - low_2) ** 2) ** 0.5
    se = (p_1 * (1 - p_1) / first.n + p_2 * (1 - p_2) / second.n) ** 0.5
    return Estimate(
        "risk_difference", value, low, high, n, **about, se=se, p=chi_square([first, second])[2]
    )


def risk_ratio(first: Count, second: Count, *, level: float = LEVEL) -> Estimate:
    """Return the ratio of two proportions with Katz's interval; `se` is that of its logarithm."""
    about = {"method": "Katz log interval", "sign": RATIO_SIGN, "unit": "ratio"}
    n = first.n + second.n
    if not first.n_responders or not second.n_responders:
        return not_estimable("risk_ratio", n=n, reason="an arm has no responders", **about)
    se = (1 / first.n_responders - 1 / first.n + 1 / second.n_responders - 1 / second.n) ** 0.5
    return _log_estimate("risk_ratio", first.share / second.share, se, n, level, about)


def odds_ratio(first: Count, second: Count, *, level: float = LEVEL) -> Estimate:
    """Return the odds ratio with Woolf's interval; `se` is that of its logarithm."""
    about = {"method": "Woolf log interval", "sign": RATIO_SIGN, "unit": "ratio"}
    cells = [
        first.n_responders, first.n - first.n_responders,
        second.n_responders, second.n - second.n_responders,
    ]  # fmt: skip
    n = first.n + second.n
    if 0 in cells:
        return not_estimable("odds_ratio", n=n, reason="a cell of the table is empty", **about)
    value = cells[0] * cells[3] / (cells[1] * cells[2])
    se = sum(1 / cell for cell in cells) ** 0.5
    return _log_estimate("odds_ratio", value, se, n, level, about)


def number_needed_to_treat(difference: Estimate) -> Estimate:
    """Return 1 / risk difference; without interval, and so said, where that includes nought."""
    about = {"method": "inverse of the risk difference", "sign": SIGN, "unit": "participants"}
    if difference.value in (None, 0.0):
        return not_estimable("nnt", n=difference.n, reason="the difference is nought", **about)
    if difference.ci_low is None or difference.ci_low <= 0 <= difference.ci_high:
        reason = "the interval of the difference includes nought: no number is shown"
        return not_estimable("nnt", n=difference.n, reason=reason, **about)
    return Estimate(
        "nnt", 1 / difference.value, 1 / difference.ci_high, 1 / difference.ci_low, difference.n,
        **about,
    )  # fmt: skip


def chi_square(counts: list[Count]) -> tuple[float | None, int, float | None]:
    """Return Pearson's statistic of arms by response, df and p; `None` where a column is 0."""
    yes = np.array([count.n_responders for count in counts], dtype=float)
    n = np.array([count.n for count in counts], dtype=float)
    share, df = yes.sum() / n.sum(), len(counts) - 1
    if share in (0.0, 1.0):
        return None, df, None
    statistic = float(((yes - n * share) ** 2 / (n * share * (1 - share))).sum())
    return statistic, df, float(chdtrc(df, statistic))


def fisher_p(counts: list[Count]) -> float:
    """Return the p value of Fisher's exact test of arms by response, of any number of arms.

    Raises
    ------
    NotEstimable
        The arms are so large that the tables are too many to list.
    """
    if math.prod(count.n + 1 for count in counts[1:]) > MOST_TABLES and len(counts) > 2:
        raise NotEstimable(
            "expected arms small enough to list every table, got too many. Use Pearson's test."
        )
    if len(counts) == 2:
        table = [[count.n_responders, count.n - count.n_responders] for count in counts]
        return float(fisher_exact(table).pvalue)
    return _exact_p(
        np.array([count.n for count in counts]), np.array([count.n_responders for count in counts])
    )


def clopper_pearson(count: Count, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of a proportion."""
    x, n, tail = count.n_responders, count.n, (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return low, high


def _exact_p(n: NDArray[np.intp], yes: NDArray[np.intp]) -> float:
    """Return the summed probability of the tables that are no more likely than the one seen.

    Arms are folded in one at a time; a table's probability is a product of binomial coefficients
    over the total's, so a dictionary of (responders so far, log weight) would lose ties. Instead
    the weights are carried exactly as integers.
    """
    total = math.comb(int(n.sum()), int(yes.sum()))
    seen = math.prod(math.comb(int(a), int(x)) for a, x in zip(n, yes, strict=True))
    tables: dict[tuple[int, int], int] = {(0, 1): 1}
    for place, arm in enumerate(n):
        rest = int(n[place + 1 :].sum())
        grown: dict[tuple[int, int], int] = {}
        for (so_far, weight), times in tables.items():
            needed = int(yes.sum()) - so_far
            for x in range(max(0, needed - rest), min(int(arm), needed) + 1):
                key = (so_far + x, weight * math.comb(int(arm), x))
                grown[key] = grown.get(key, 0) + times
        tables = grown
    # R's tolerance: tables within 1e-7 of the one seen count as equally likely.
    bound = seen + seen // 10_000_000
    return (
        sum(weight * times for (_all, weight), times in tables.items() if weight <= bound) / total
    )


def _wilson(count: Count, level: float) -> tuple[float, float]:
    interval = wilson(count.n_responders, count.n, level=level)
    return interval.ci_low, interval.ci_high


def _log_estimate(
    label: str, value: float, se: float, n: int, level: float, about: dict[str, str]
) -> Estimate:
    if se == 0:
        return not_estimable(label, n=n, reason="everybody responded", **about)
    half = float(ndtri((1 + level) / 2)) * se
    log = math.log(value)
    return Estimate(
        label, value, math.exp(log - half), math.exp(log + half), n, **about, se=se,
        p=two_sided_p(log / se),
    )  # fmt: skip


def responders_by(arms: ArrayLike, responded: ArrayLike, levels: tuple[str, ...]) -> list[Count]:
    """Return the counts of each arm; NaN in `responded` is left out."""
    arms, responded = np.asarray(arms), np.asarray(responded, dtype=float)
    known = ~np.isnan(responded)
    return [
        Count(int(responded[known & (arms == level)].sum()), int((known & (arms == level)).sum()))
        for level in levels
    ]
