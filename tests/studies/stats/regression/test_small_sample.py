import json
from pathlib import Path

import numpy as np
import pytest

from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.small_sample import Inference, SmallSample
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import (
    hard_trial,
    trial_of_28,
    trial_of_200,
    trial_of_computer_cbt,
)
from tests.studies.stats.references import needs_references, results
from tests.studies.stats.regression.test_mmrm import contrast_row, made_trial

GOLDEN = Path(__file__).parents[3] / "golden"
METHODS = {
    SmallSample.KENWARD_ROGER: "kenward_roger_linear",
    SmallSample.SATTERTHWAITE: "satterthwaite",
}
SETS = {
    "s02": (trial_of_computer_cbt, lambda: results("s02_btheb")),
    "s03 psqi": (lambda: trial_of_200("psqi"), lambda: results("s03_sim200")["psqi"]),
    "s03 cpss": (lambda: trial_of_200("cpss"), lambda: results("s03_sim200")["cpss"]),
    "s04": (trial_of_28, lambda: results("s04_small28")),
}
ABOUT = {"sign": "negative favours the first arm"}


@needs_references
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SETS)
def test_contrasts_are_those_of_mmrm(name: str, method: SmallSample) -> None:
    trial, reference = SETS[name]
    design, outcomes = trial()
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design), method)
    arm = design.terms[-1].source
    expected = iter(reference()["mmrm_REML"][METHODS[method]]["contrasts_vs_ref"])
    for visit in range(design.n_visits):
        for level in arm.levels[1:]:
            row = design.row(visit, {"arm": level}) - design.row(visit, {"arm": arm.levels[0]})
            ours, theirs = inference.estimate(row, level, **ABOUT), next(expected)
            assert ours.value == pytest.approx(theirs["estimate"], rel=1e-6, abs=1e-9)
            assert ours.se == pytest.approx(theirs["SE"], rel=1e-6)
            assert ours.df == pytest.approx(theirs["df"], rel=1e-5)
            assert ours.p == pytest.approx(theirs["p.value"], rel=1e-5)
            assert ours.ci_low == pytest.approx(theirs["lower.CL"], rel=1e-6, abs=1e-6)


@needs_references
@pytest.mark.parametrize("method", METHODS)
def test_the_joint_test_is_that_of_mmrm(method: SmallSample) -> None:
    design, outcomes = trial_of_28()
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design), method)
    rows = [
        design.row(2, {"arm": level}) - design.row(2, {"arm": "CBT"})
        for level in ("LSTM_ACM", "MCMG", "GAMC")
    ]
    ours = inference.joint(np.array(rows))
    theirs = results("s04_small28")["mmrm_REML"][METHODS[method]]["joint_last_visit"]
    assert ours.f == pytest.approx(theirs["F"], rel=1e-6)
    assert ours.df_denominator == pytest.approx(theirs["denom_df"], rel=1e-5)
    assert ours.p == pytest.approx(theirs["p"], rel=1e-5)


@needs_references
def test_adjusted_means_over_rows_are_those_of_emmeans() -> None:
    design, outcomes = trial_of_28()
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design))
    base = np.repeat(design.terms[1].source.values, (~np.isnan(outcomes)).sum(axis=1)).mean()
    theirs = results("s04_small28")["mmrm_REML"]["kenward_roger_linear"]["emmeans"]
    ours = [
        inference.estimate(design.row(visit, {"arm": arm, "base": base}), arm, **ABOUT)
        for visit in range(3)
        for arm in ("CBT", "LSTM_ACM", "MCMG", "GAMC")
    ]
    assert [mean.value for mean in ours] == pytest.approx(
        [row["emmean"] for row in theirs], rel=1e-6
    )
    assert [mean.se for mean in ours] == pytest.approx([row["SE"] for row in theirs], rel=1e-6)
    assert [mean.df for mean in ours] == pytest.approx([row["df"] for row in theirs], rel=1e-5)


@needs_references
def test_degrees_of_freedom_stay_right_where_the_covariance_is_nearly_singular() -> None:
    design, outcomes = hard_trial()
    fit = fit_mmrm(gram_of(design, outcomes), design)
    expected = results("s10_hard")["last_visit_contrast"]
    row = contrast_row(design, 9)
    ours = Inference(fit).estimate(row, "trt", **ABOUT)
    assert Inference(fit, SmallSample.SATTERTHWAITE).df(row) == pytest.approx(
        expected["df_satterthwaite"], abs=0.05
    )
    assert ours.df == pytest.approx(expected["df_KR"], abs=0.05)
    assert ours.se == pytest.approx(expected["se_KR_linear"], rel=1e-5)


def test_without_missing_values_kenward_roger_is_exact_t() -> None:
    design, outcomes = made_trial()
    outcomes = np.nan_to_num(outcomes, nan=10.0)
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design))
    assert inference.df(contrast_row(design, 1)) == pytest.approx(60 - 3, rel=1e-6)


def test_kenward_roger_never_claims_more_than_the_plain_standard_error() -> None:
    design, outcomes = made_trial(n=16)
    fit = fit_mmrm(gram_of(design, outcomes), design)
    row = contrast_row(design, 2)
    plain, corrected = (
        Inference(fit, method).estimate(row, "arm", **ABOUT)
        for method in (SmallSample.SATTERTHWAITE, SmallSample.KENWARD_ROGER)
    )
    assert corrected.se > plain.se
    assert corrected.df == pytest.approx(plain.df, rel=1e-9)


def rejections(n_trials: int, *, seed: int) -> float:
    """Return how often the joint test of four equal arms of 7 rejects at 5 %."""
    rng = np.random.default_rng(seed)
    arm = Factor("arm", np.repeat(np.arange(4), 7), ("CBT", "LSTM_ACM", "MCMG", "GAMC"))
    root = 3 * np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(range(4), range(4))))
    rejected = 0
    for _ in range(n_trials):
        values = rng.normal(size=(28, 4)) @ root.T
        outcomes = values[:, 1:].copy()
        for visit in range(3):
            outcomes[rng.random(28) < 0.08, visit:] = np.nan
        terms = [
            Term(Intercept(28), OWN), Term(Covariate("base", values[:, 0])), Term(arm, OWN),
        ]  # fmt: skip
        design = Design(terms, ("4", "8", "24"))
        inference = Inference(fit_mmrm(gram_of(design, outcomes), design))
        zero = design.row(2, {"arm": "CBT"})
        rows = np.array([design.row(2, {"arm": level}) - zero for level in arm.levels[1:]])
        rejected += inference.joint(rows).p < 0.05
    return rejected / n_trials


def test_seven_an_arm_reject_about_five_in_a_hundred() -> None:
    # 200 trials: three binomial standard errors around 5 %.
    assert 0.005 <= rejections(200, seed=11) <= 0.096


@pytest.mark.slow
def test_seven_an_arm_keep_the_five_per_cent() -> None:
    assert 0.035 <= rejections(2000, seed=2025) <= 0.06


@pytest.mark.parametrize("method", METHODS)
def test_a_trial_of_28_has_the_numbers_of_mmrm_to_nine_digits(method: SmallSample) -> None:
    golden = json.loads((GOLDEN / "mmrm_small28.json").read_text())
    scores = np.array(golden["psqi"], dtype=float)
    arms = ("CBT", "LSTM_ACM", "MCMG", "GAMC")
    arm = Factor("arm", np.array([arms.index(name) for name in golden["arm"]]), arms)
    terms = [Term(Intercept(28), OWN), Term(Covariate("base", scores[:, 0])), Term(arm, OWN)]
    design = Design(terms, ("4", "8", "24"))
    fit = fit_mmrm(gram_of(design, scores[:, 1:]), design)
    assert fit.log_likelihood == pytest.approx(golden["log_likelihood"], abs=1e-9)
    np.testing.assert_allclose(fit.sigma, golden["sigma"], rtol=1e-9)
    inference, expected = Inference(fit, method), golden[METHODS[method]]
    for name, visit, *numbers in expected["contrasts"]:
        first, second = (design.row(visit - 1, {"arm": side}) for side in name.split(" - "))
        ours = inference.estimate(first - second, name, **ABOUT)
        assert [ours.value, ours.se, ours.df, ours.p] == pytest.approx(numbers, rel=1e-9)
    zero = design.row(2, {"arm": "CBT"})
    joint = inference.joint(np.array([design.row(2, {"arm": a}) - zero for a in arms[1:]]))
    assert [joint.f, joint.df_denominator, joint.p] == pytest.approx(
        expected["joint_last_visit"], rel=1e-8
    )
