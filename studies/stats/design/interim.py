"""Looking at a trial before its end without spending more than alpha.

Spending functions give the part of alpha that may be used up by an information fraction t:

obrien_fleming   2 - 2 Phi(z_(alpha/2) / sqrt t)     (Lan and DeMets)
pocock           alpha log(1 + (e - 1) t)

with one-sided alpha. The bound of each look follows from the joint distribution of the looks, whose
scores have independent increments; it is integrated numerically (Armitage, McPherson and Rowe), so
nothing is drawn. The classical O'Brien-Fleming and Pocock bounds for equal steps are given too.

Conditional power is the chance to pass the last bound given the score so far: under the planned
effect, or under the trend of the data.

References
----------
Lan KKG, DeMets DL (1983). Biometrika 70, 659-663.
O'Brien PC, Fleming TR (1979). Biometrics 35, 549-556.
Pocock SJ (1977). Biometrika 64, 191-199.
Armitage P, McPherson CK, Rowe BC (1969). Journal of the Royal Statistical Society A 132, 235-244.
Jennison C, Turnbull BW (2000). Group Sequential Methods with Applications to Clinical Trials.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from studies.stats.errors import StatisticsError

Array = NDArray[np.float64]

N_NODES = 400
FARTHEST = 9.0


class Spending(StrEnum):
    """How alpha is spread over the looks."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


@dataclass(frozen=True, slots=True)
class Look:
    """One look: information fraction, bound on z, nominal one-sided p, and alpha spent so far."""

    information: float
    bound: float
    nominal_p: float
    spent: float


def spent_by(information: float, alpha: float, kind: Spending) -> float:
    """Return the one-sided alpha that may be spent by an information fraction."""
    if kind is Spending.OBRIEN_FLEMING:
        return float(2 - 2 * ndtr(ndtri(1 - alpha / 2) / math.sqrt(information)))
    return alpha * math.log(1 + (math.e - 1) * information)


def spending_bounds(
    information: Sequence[float], *, alpha: float = 0.025, kind: Spending = Spending.OBRIEN_FLEMING
) -> list[Look]:
    """Return the bounds of looks at any information fractions.

    Parameters
    ----------
    information : sequence of float
        Rising, within (0, 1]; the last need not be 1 while the trial runs.
    alpha : float
        One-sided.
    kind : Spending

    Raises
    ------
    StatisticsError
        The fractions do not rise within (0, 1], or alpha is none.
    """
    _require_information(information, alpha)
    bounds: list[float] = []
    looks = []
    before = 0.0
    for place, fraction in enumerate(information):
        spent = spent_by(fraction, alpha, kind)
        so_far = tuple(information[: place + 1])

        def excess(
            bound: float,
            known: tuple[float, ...] = tuple(bounds),
            fractions: tuple[float, ...] = so_far,
            share: float = spent - before,
        ) -> float:
            return _crossing_now([*known, bound], fractions) - share

        bound = float(brentq(excess, -1.0, FARTHEST, xtol=1e-12))
        bounds.append(bound)
        looks.append(Look(fraction, bound, float(ndtr(-bound)), spent))
        before = spent
    return looks


def classical_bounds(
    information: Sequence[float], *, alpha: float = 0.025, kind: Spending = Spending.OBRIEN_FLEMING
) -> list[Look]:
    """Return O'Brien and Fleming's (c / sqrt t) or Pocock's (constant) bounds of planned looks."""
    _require_information(information, alpha)
    shape = np.array(
        [1 / math.sqrt(t) if kind is Spending.OBRIEN_FLEMING else 1.0 for t in information]
    )

    def crossings(scale: float) -> list[float]:
        bounds = list(scale * shape)
        return [
            _crossing_now(bounds[: place + 1], information[: place + 1])
            for place in range(len(bounds))
        ]

    scale = float(brentq(lambda c: sum(crossings(c)) - alpha, 0.5, 8.0, xtol=1e-12))
    spent = np.cumsum(crossings(scale))
    return [
        Look(fraction, float(bound), float(ndtr(-bound)), float(so_far))
        for fraction, bound, so_far in zip(information, scale * shape, spent, strict=True)
    ]


def conditional_power(
    z: float, information: float, bound: float, *, drift: float | None = None
) -> float:
    """Return the chance to end above a bound, given z at an information fraction.

    Parameters
    ----------
    z : float
        Score now, positive in favour of the new arm.
    information : float
        Below 1.
    bound : float
        Of the last look.
    drift : float, optional
        Expected z at the end under the planned effect; left out, the trend of the data goes on.
    """
    if not 0 < information < 1:
        raise StatisticsError(f"expected information between 0 and 1, got {information}.")
    expected = z / math.sqrt(information) if drift is None else drift
    so_far, rest = z * math.sqrt(information), 1 - information
    return float(ndtr((so_far + expected * rest - bound) / math.sqrt(rest)))


def blinded_sd(values: Sequence[float], difference: float, n_arms: int = 2) -> float:
    """Return the SD within arms that pooled scores suggest, were the arms to differ as planned.

    Equal arms whose means spread over `difference` add its between-arm variance to the pooled one;
    for two arms that is difference^2 / 4 (Gould and Shih 1992), for more the widest case.
    """
    pooled = np.asarray(values, dtype=float)
    pooled = pooled[~np.isnan(pooled)]
    if pooled.size < 2:
        raise StatisticsError(f"expected two scores or more, got {pooled.size}.")
    within = float(pooled.var(ddof=1)) - difference**2 / 4 * (1 if n_arms == 2 else 2 / n_arms)
    if within <= 0:
        raise StatisticsError(
            "expected pooled scores that spread more than the planned difference alone, got less."
        )
    return within**0.5


def _crossing_now(bounds: Sequence[float], information: Sequence[float]) -> float:
    """Return the chance, under no effect, to cross first at the last of the looks."""
    t = np.asarray(information, dtype=float)
    if len(bounds) == 1:
        return float(ndtr(-bounds[0]))
    nodes, weights = np.polynomial.legendre.leggauss(N_NODES)
    # Scores S = z sqrt t have independent increments of variance t_k - t_(k-1).
    points, mass = _stretch(nodes, weights, bounds[0] * math.sqrt(t[0]), math.sqrt(t[0]))
    density = np.exp(-(points**2) / (2 * t[0])) / math.sqrt(2 * math.pi * t[0])
    for place in range(1, len(bounds) - 1):
        step = t[place] - t[place - 1]
        following, next_mass = _stretch(
            nodes, weights, bounds[place] * math.sqrt(t[place]), math.sqrt(t[place])
        )
        kernel = np.exp(-(np.subtract.outer(following, points) ** 2) / (2 * step))
        density = kernel @ (density * mass) / math.sqrt(2 * math.pi * step)
        points, mass = following, next_mass
    step = math.sqrt(t[-1] - t[-2])
    tail = ndtr((points - bounds[-1] * math.sqrt(t[-1])) / step)
    return float((density * mass) @ tail)


def _stretch(nodes: Array, weights: Array, high: float, sd: float) -> tuple[Array, Array]:
    low = -FARTHEST * sd
    half = (high - low) / 2
    return low + half * (nodes + 1), weights * half


def _require_information(information: Sequence[float], alpha: float) -> None:
    fractions = list(information)
    rising = all(a < b for a, b in pairwise(fractions))
    if not fractions or not rising or fractions[0] <= 0 or fractions[-1] > 1 + 1e-12:
        raise StatisticsError(f"expected rising fractions within 0 to 1, got {fractions}.")
    if not 0 < alpha < 0.5:
        raise StatisticsError(f"expected a one-sided alpha between 0 and 0.5, got {alpha}.")
