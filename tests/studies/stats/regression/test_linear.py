import numpy as np
import pytest

from studies.stats.errors import NotEstimable, TooFewObservations
from studies.stats.regression.linear import Covariance, LinearFit, fit_linear
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import ARMS, trial_of_200
from tests.studies.stats.references import TOLERANCE, needs_references, results

SIGN = {"sign": "negative favours the first arm"}


def ancova(outcome: str) -> LinearFit:
    design, outcomes = trial_of_200(outcome)
    return fit_linear(Design(design.terms, ("8",)), outcomes[:, 1])


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_coefficients_and_their_three_standard_errors_are_those_of_lm_and_sandwich(
    outcome: str,
) -> None:
    fit, expected = ancova(outcome), results("s03_sim200")[outcome]["ancova_8"]
    assert (fit.n, fit.df_residual) == (expected["n"], expected["df_resid"])
    assert fit.sigma == pytest.approx(expected["sigma"], rel=TOLERANCE)
    assert fit.log_likelihood == pytest.approx(expected["logLik_ML"], rel=TOLERANCE)
    unit = np.eye(fit.design.n_coefficients)
    for row, theirs in zip(unit, expected["coefficients"], strict=True):
        assert fit.value(row) == pytest.approx(theirs["estimate"], rel=TOLERANCE)
        for kind, key in ((Covariance.CLASSICAL, "se"), (Covariance.HC2, "se_HC2"),
                          (Covariance.HC3, "se_HC3")):  # fmt: skip
            ours = fit.covariance(row[None], kind)[0, 0] ** 0.5
            assert ours == pytest.approx(theirs[key], rel=TOLERANCE)


@needs_references
@pytest.mark.parametrize(
    ("shares", "key"), [("equal", "equal_weights"), ("observed", "proportional_weights")]
)
def test_adjusted_means_are_those_of_emmeans(shares: str, key: str) -> None:
    fit, expected = ancova("psqi"), results("s03_sim200")["psqi"]["ancova_8"]
    for theirs in expected[f"adjusted_means_{key}"]:
        row = fit.design.row(0, {"arm": theirs["arm"]}, shares=shares)
        ours = fit.estimate(row, theirs["arm"], **SIGN)
        assert ours.value == pytest.approx(theirs["emmean"], rel=TOLERANCE)
        assert ours.se == pytest.approx(theirs["SE"], rel=TOLERANCE)
        assert ours.ci_high == pytest.approx(theirs["upper.CL"], rel=TOLERANCE)


@needs_references
def test_the_joint_test_of_the_arms_is_that_of_type_two() -> None:
    fit, expected = ancova("psqi"), results("s03_sim200")["psqi"]["ancova_8"]
    theirs = next(row for row in expected["type2"] if row["term"] == "arm")
    zero = fit.design.row(0, {"arm": "CBT"})
    ours = fit.joint(np.array([fit.design.row(0, {"arm": arm}) - zero for arm in ARMS[1:]]))
    assert ours.f == pytest.approx(theirs["F.value"], rel=TOLERANCE)
    assert ours.p == pytest.approx(theirs["Pr..F."], rel=TOLERANCE)


def small_design(n: int = 8) -> Design:
    base = Covariate("base", np.arange(n, dtype=float))
    arm = Factor("arm", np.arange(n) % 2, ("CBT", "LSTM_ACM"))
    return Design([Term(Intercept(n), OWN), Term(base), Term(arm)], ("8",))


def test_what_least_squares_cannot_do_is_refused_by_name() -> None:
    design = small_design()
    with pytest.raises(NotEstimable, match="vary around their means"):
        fit_linear(design, np.full(8, 3.0))
    with pytest.raises(TooFewObservations, match="3 effects of the model, got 3"):
        fit_linear(design, np.r_[1.0, 5.0, 2.0, [np.nan] * 5])
    with pytest.raises(TooFewObservations, match="got 1"):
        fit_linear(design, np.r_[1.0, [np.nan] * 7])


def test_an_arm_that_nobody_finished_is_not_estimable_but_the_rest_is() -> None:
    outcomes = np.r_[1.0, np.nan, 4.0, np.nan, 3.0, np.nan, 9.0, np.nan]
    fit = fit_linear(small_design(), outcomes)
    first, second = (fit.design.row(0, {"arm": arm}) for arm in ("CBT", "LSTM_ACM"))
    assert np.isfinite(fit.value(first))
    with pytest.raises(NotEstimable, match="armLSTM_ACM"):
        fit.value(second - first)


def test_a_covariate_far_from_nought_costs_no_digits() -> None:
    rng = np.random.default_rng(3)
    outcomes = rng.normal(10, 2, 40)
    base = rng.normal(size=40)
    arm = Factor("arm", np.arange(40) % 2, ("CBT", "LSTM_ACM"))

    def contrast(values: np.ndarray) -> tuple[float, float]:
        terms = [Term(Intercept(40), OWN), Term(Covariate("base", values)), Term(arm)]
        fit = fit_linear(Design(terms, ("8",)), outcomes)
        row = fit.design.row(0, {"arm": "LSTM_ACM"}) - fit.design.row(0, {"arm": "CBT"})
        estimate = fit.estimate(row, "", **SIGN)
        return estimate.value, estimate.se

    assert contrast(base + 1e6) == pytest.approx(contrast(base), rel=1e-8)


def test_robust_errors_leave_out_who_is_alone_and_refuse_what_they_alone_tell() -> None:
    random = np.random.default_rng(7)
    arm = Factor("arm", np.arange(13) % 2, ("a", "b"))
    site = Factor("site", np.where(np.arange(13) == 12, 1, 0), ("large", "one person"))
    terms = [Term(Intercept(13), OWN), Term(site), Term(arm)]
    scores = random.normal(10, 3, 13)
    fit = fit_linear(Design(terms, ("8",)), scores)
    rest = fit_linear(Design([Term(Intercept(12), OWN), Term(arm.take(np.arange(12)))], ("8",)),
                      scores[:12])  # fmt: skip
    for kind in (Covariance.HC2, Covariance.HC3):
        contrast = fit.estimate(_contrast(fit), "contrast", kind=kind, **SIGN)
        without = rest.estimate(_contrast(rest), "contrast", kind=kind, **SIGN)
        assert (contrast.value, contrast.se) == pytest.approx((without.value, without.se))
        with pytest.raises(NotEstimable, match="one alone"):
            fit.estimate(fit.design.row(0, {"arm": "a"}), "mean", kind=kind, **SIGN)


def _contrast(fit: LinearFit) -> np.ndarray:
    return fit.design.row(0, {"arm": "b"}) - fit.design.row(0, {"arm": "a"})
