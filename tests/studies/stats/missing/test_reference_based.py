import numpy as np
import pytest

from studies.stats.errors import NotEstimable
from studies.stats.missing.reference_based import Imputed, impute_by_reference
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import factor, numbers
from tests.studies.stats.references import needs_references, results
from tests.studies.stats.regression.test_mmrm import made_trial

SET = "s09_refbased_sim120"
SIGN = {"sign": "negative favours the first arm"}


@pytest.fixture(scope="module")
def imputed() -> Imputed:
    base = Covariate("base", numbers(SET, "psqi_0")[:, 0])
    outcomes = numbers(SET, "psqi_4", "psqi_8")
    arm = factor(SET, "arm", ("CBT", "LSTM_ACM"))
    terms = [Term(Intercept(len(outcomes)), OWN), Term(base, OWN), Term(arm, OWN)]
    return impute_by_reference(Design(terms, ("4", "8")), outcomes)


@needs_references
@pytest.mark.parametrize(
    ("name", "strategy", "delta"),
    [("MAR", "MAR", 0), ("JR", "J2R", 0), ("CR", "CR", 0), ("CIR", "CIR", 0),
     ("MAR_delta1", "MAR", 1), ("MAR_delta2", "MAR", 2), ("MAR_delta3", "MAR", 3)],
)  # fmt: skip
def test_estimates_and_jackknife_errors_are_those_of_rbmi(
    imputed: Imputed, name: str, strategy: str, delta: float
) -> None:
    for visit, parameter in enumerate(("trt_w4", "trt_w8")):
        (theirs,) = (
            row for row in results("s09_refbased")["results"][name]
            if row["parameter"] == parameter
        )  # fmt: skip
        ours = imputed.estimate(strategy, visit, 0, delta=delta, **SIGN)
        assert ours.value == pytest.approx(theirs["est"], abs=1e-5)
        assert ours.se == pytest.approx(theirs["se"], rel=1e-5)
        assert ours.p == pytest.approx(theirs["pval"], abs=1e-5)
        assert [ours.ci_low, ours.ci_high] == pytest.approx(
            [theirs["lci"], theirs["uci"]], abs=1e-5
        )


def gapped(effect: float = -3.0) -> tuple[Design, np.ndarray]:
    design, outcomes = made_trial(n=40, n_visits=2)
    outcomes[design.terms[2].source.codes == 1] += effect
    return design, outcomes


def test_the_tipping_point_is_where_significance_ends() -> None:
    design, outcomes = gapped()
    found = impute_by_reference(design, outcomes, strategies=())
    delta = found.tipping_point(1, 0)
    assert delta > 0
    assert found.estimate("MAR", 1, 0, delta=delta, **SIGN).p == pytest.approx(0.05, abs=1e-6)
    assert found.estimate("MAR", 1, 0, delta=delta - 0.1, **SIGN).p < 0.05
    nothing = impute_by_reference(*gapped(effect=2.0), strategies=())
    assert nothing.tipping_point(1, 0) is None


def test_a_jump_to_the_reference_draws_the_contrast_towards_nought() -> None:
    found = impute_by_reference(*gapped(), strategies=("J2R",))
    jump, random = (abs(found.estimate(name, 1, 0, **SIGN).value) for name in ("J2R", "MAR"))
    assert jump < random


def test_without_missing_scores_nothing_is_imputed_and_all_strategies_agree() -> None:
    design, outcomes = gapped()
    found = impute_by_reference(design, np.nan_to_num(outcomes, nan=9.0))
    assert found.n_imputed == 0
    values = {found.estimate(name, 1, 0, **SIGN).value for name in found.names[:-1]}
    assert max(values) - min(values) < 1e-9


def test_empty_cells_and_large_trials_are_refused() -> None:
    design, outcomes = gapped()
    outcomes[design.terms[2].source.codes == 1, 1] = np.nan
    with pytest.raises(NotEstimable, match="LSTM_ACM @ 8"):
        impute_by_reference(design, outcomes)
    n = 4000
    arm = Factor("arm", np.arange(n) % 2, ("CBT", "GAMC"))
    large = Design([Term(Intercept(n), OWN), Term(arm, OWN)], ("4",))
    with pytest.raises(NotEstimable, match="up to 3000"):
        impute_by_reference(large, np.zeros((n, 1)))
