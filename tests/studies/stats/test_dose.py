import numpy as np
import pytest

from studies.stats.dose import EXCLUSION, NOT_CAUSAL, complier_effect, dose_response
from studies.stats.errors import NotEstimable, TooFewObservations
from tests.studies.stats.reference_trials import numbers, table
from tests.studies.stats.references import TOLERANCE, needs_references, results

SIGN = {"sign": "negative favours more dose"}


@needs_references
def test_the_slope_of_the_dose_is_that_of_lm() -> None:
    arms = np.array([row["arm"] for row in table("s03_sim200")])
    music = arms != "CBT"
    base, nights, outcomes = numbers("s03_sim200", "psqi_0", "nights", "psqi_8")[music].T
    w = np.column_stack([np.ones(music.sum()), base, arms[music] == "MCMG", arms[music] == "GAMC"])
    ours = dose_response(outcomes, nights, w, **SIGN)
    (theirs,) = (
        row for row in results("s03_sim200")["adherence"]["dose_response"]
        if row["term"] == "nights"
    )  # fmt: skip
    assert (ours.value, ours.se, ours.p) == pytest.approx(
        (theirs["estimate"], theirs["se"], theirs["p"]), rel=TOLERANCE
    )
    assert ours.warnings == (NOT_CAUSAL,)


def confounded(n: int = 4000) -> tuple[np.ndarray, ...]:
    """Return a trial in which the ill listen less and every night helps by half a point."""
    rng = np.random.default_rng(6)
    illness = rng.normal(size=n)
    allocated = (np.arange(n) % 2).astype(float)
    dose = allocated * np.maximum(0, 10 - 3 * illness + rng.normal(size=n))
    outcomes = 12 + 2 * illness - 0.5 * dose + rng.normal(size=n)
    return outcomes, dose, allocated, np.ones((n, 1))


def test_the_instrument_finds_the_effect_that_the_regression_exaggerates() -> None:
    outcomes, dose, allocated, w = confounded()
    found = complier_effect(outcomes, dose, allocated, w, **SIGN)
    assert found.estimate.value == pytest.approx(-0.5, abs=3 * found.estimate.se)
    assert found.first_stage_f > 1000
    assert found.estimate.warnings == (EXCLUSION,)
    naive = dose_response(outcomes[allocated == 1], dose[allocated == 1], w[allocated == 1], **SIGN)
    assert naive.value < -0.9


def test_with_one_instrument_it_is_the_ratio_of_the_two_differences() -> None:
    outcomes, dose, allocated, w = confounded(60)
    found = complier_effect(outcomes, dose, allocated, w, **SIGN)
    differences = [
        part[allocated == 1].mean() - part[allocated == 0].mean() for part in (outcomes, dose)
    ]
    assert found.estimate.value == pytest.approx(differences[0] / differences[1], rel=1e-10)


def test_a_weak_instrument_is_told_and_none_is_refused() -> None:
    outcomes, dose, allocated, w = confounded(60)
    shuffled = np.random.default_rng(2).permutation(dose)
    weak = complier_effect(outcomes, shuffled, allocated, w, **SIGN)
    assert "read with care" in weak.estimate.warnings[1]
    with pytest.raises(NotEstimable, match="changes the dose"):
        complier_effect(outcomes, np.ones(60), allocated, w, **SIGN)
    with pytest.raises(NotEstimable, match="varies within arms"):
        dose_response(outcomes, np.ones(60), w, **SIGN)
    with pytest.raises(TooFewObservations, match="got 0"):
        dose_response(np.full(60, np.nan), dose, w, **SIGN)
