"""Listening and outcome: described with a warning, and by the allocation as instrument.

How much somebody listened is known only after randomisation and goes with how they are: those who
do not sleep better stop. A regression of the outcome on the dose is therefore a description. The
complier average causal effect asks instead what the allocation did to those whom it made listen:
the effect of being allocated over the difference in dose that it made (two-stage least squares
with the arm as instrument), which needs that the allocation works through the dose alone.

References
----------
Angrist JD, Imbens GW, Rubin DB (1996). Journal of the American Statistical Association 91, 444-455.
Dunn G, Maracy M, Tomenson B (2005). Statistical Methods in Medical Research 14, 369-395.
Staiger D, Stock JH (1997). Econometrica 65, 557-586 (F of the instrument above 10).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.estimate import LEVEL, Estimate, wald

Array = NDArray[np.float64]

NOT_CAUSAL = "dose is no randomised quantity: this is a description, not an effect"
EXCLUSION = "holds if the allocation works through the dose alone"
WEAK_F = 10.0


@dataclass(frozen=True, slots=True)
class InstrumentalEffect:
    """The effect of a unit of dose on those whom the allocation moved; F of the instrument."""

    estimate: Estimate
    first_stage_f: float


def dose_response(
    outcomes: Array, dose: Array, covariates: Array, *, sign: str, level: float = LEVEL
) -> Estimate:
    """Return the slope of the outcome on the dose, adjusted, by least squares.

    Parameters
    ----------
    outcomes, dose : ndarray, shape (n,)
        NaN marks a missing value.
    covariates : ndarray, shape (n, q)
        With the column of ones: baseline, arms, strata.

    Raises
    ------
    TooFewObservations
        There are not more people than effects.
    NotEstimable
        The dose does not vary beyond the covariates.
    """
    y, x, w = _known(outcomes, dose, covariates)
    n, q = w.shape
    rest = _residual(w, x)
    left = float(rest @ rest)
    if left <= 1e-12 * max(1.0, float(x @ x)):
        raise NotEstimable("expected a dose that varies within arms, got none.")
    slope = float(rest @ y) / left
    residual = _residual(w, y) - slope * rest
    df = n - q - 1
    variance = float(residual @ residual) / df / left
    return wald(
        "dose_response", slope, variance**0.5, df=df, n=n, sign=sign, level=level,
        unit="points per unit of dose", method="least squares", warnings=(NOT_CAUSAL,),
    )  # fmt: skip


def complier_effect(
    outcomes: Array, dose: Array, allocated: Array, covariates: Array, *, sign: str,
    level: float = LEVEL,
) -> InstrumentalEffect:  # fmt: skip
    """Return the effect of one unit of dose by two-stage least squares.

    Parameters
    ----------
    outcomes, dose : ndarray, shape (n,)
        The dose of those not allocated to it is what they took, most often 0.
    allocated : ndarray, shape (n,)
        1 or 0: the instrument.
    covariates : ndarray, shape (n, q)
        With the column of ones.

    Raises
    ------
    TooFewObservations
        There are not more people than effects.
    NotEstimable
        The allocation did not change the dose.
    """
    y, x, w, z = _known(outcomes, dose, covariates, allocated)
    n, q = w.shape
    y, x, z = (_residual(w, part) for part in (y, x, z))
    moved, df = float(z @ x), n - q - 1
    if float(z @ z) <= 1e-12 or abs(moved) <= 1e-12 * max(1.0, float(x @ x)):
        raise NotEstimable("expected an allocation that changes the dose, got none.")
    effect = float(z @ y) / moved
    residual = y - effect * x
    variance = float(residual @ residual) / df * float(z @ z) / moved**2
    first = x - z * (moved / float(z @ z))
    noise = float(first @ first) / df
    f = moved**2 / float(z @ z) / noise if noise > 0 else float("inf")
    warnings = [EXCLUSION]
    if f < WEAK_F:
        warnings.append(f"the allocation hardly moved the dose (F {f:.1f}): read with care")
    estimate = wald(
        "cace", effect, variance**0.5, df=df, n=n, sign=sign, level=level,
        unit="points per unit of dose", method="two-stage least squares, arm as instrument",
        warnings=tuple(warnings),
    )  # fmt: skip
    return InstrumentalEffect(estimate, f)


def _known(*columns: Array) -> tuple[Array, ...]:
    outcome, dose, w, *more = columns
    known = ~(np.isnan(outcome) | np.isnan(dose) | np.isnan(w).any(axis=1))
    w = w[known]
    # Strata that nobody is left in would make the covariates singular.
    _q, triangle = np.linalg.qr(w) if len(w) else (None, np.zeros((0, 0)))
    diagonal = np.abs(np.diag(triangle))
    w = w[:, : len(diagonal)][:, diagonal > 1e-9 * max(diagonal.max(initial=0), 1e-300)]
    if len(w) <= w.shape[1] + 2:
        raise TooFewObservations(
            f"expected more people with outcome and dose than effects, got {len(w)}."
        )
    return (outcome[known], dose[known], w, *(part[known] for part in more))


def _residual(w: Array, values: Array) -> Array:
    coefficients, *_rest = np.linalg.lstsq(w, values, rcond=None)
    return values - w @ coefficients
