import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.stats.adjustment import (
    adjust_p,
    adjusted,
    dunnett,
    dunnett_critical,
    dunnett_step_down,
    gatekept,
    tukey,
)
from studies.stats.errors import StatisticsError
from studies.stats.estimate import wald
from studies.stats.family import Adjustment
from tests.studies.stats.reference_trials import ARMS
from tests.studies.stats.references import TOLERANCE, needs_references, results
from tests.studies.stats.regression.test_linear import ancova

R_NAMES = {
    Adjustment.BONFERRONI: "bonferroni", Adjustment.HOLM: "holm", Adjustment.HOCHBERG: "hochberg",
    Adjustment.HOMMEL: "hommel", Adjustment.BENJAMINI_HOCHBERG: "BH",
    Adjustment.BENJAMINI_YEKUTIELI: "BY",
}  # fmt: skip


def contrasts(outcome: str, pairs: list[tuple[str, str]]) -> tuple[list[float], np.ndarray, float]:
    fit = ancova(outcome)
    rows = np.array(
        [fit.design.row(0, {"arm": a}) - fit.design.row(0, {"arm": b}) for a, b in pairs]
    )
    covariance = fit.covariance(rows)
    values = np.array([fit.value(row) for row in rows])
    return list(values / np.sqrt(np.diag(covariance))), covariance, fit.df_residual


@needs_references
@pytest.mark.parametrize("family", ["vs_ref", "pairwise"])
@pytest.mark.parametrize("method", R_NAMES)
def test_adjusted_p_values_are_those_of_r(method: Adjustment, family: str) -> None:
    expected = results("s03_sim200")["psqi"]["ancova_8"][f"p_adjust_{family}"]
    assert adjust_p(expected["raw"], method) == pytest.approx(
        expected[R_NAMES[method]], rel=TOLERANCE
    )


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_dunnett_agrees_with_multcomp_and_two_runs_to_the_last_bit(outcome: str) -> None:
    ratios, covariance, df = contrasts(outcome, [(arm, "CBT") for arm in ARMS[1:]])
    expected = results("s03_sim200")[outcome]["ancova_8"]
    ours = dunnett(ratios, covariance, df)
    np.testing.assert_allclose(ours, expected["p_dunnett_vs_ref"], atol=2e-5)
    assert ours.tobytes() == dunnett(ratios, covariance, df).tobytes()
    critical = dunnett_critical(covariance, df, 0.95)
    assert critical == pytest.approx(expected["dunnett_crit95"], abs=1e-3)


@needs_references
def test_tukey_agrees_with_r() -> None:
    pairs = [(a, b) for place, a in enumerate(ARMS) for b in ARMS[place + 1 :]]
    ratios, _covariance, df = contrasts("psqi", pairs)
    expected = results("s03_sim200")["psqi"]["ancova_8"]["p_tukey_pairwise"]
    np.testing.assert_allclose(tukey(ratios, 4, df), expected, atol=2e-5)


def test_step_down_rejects_no_less_than_the_single_step() -> None:
    covariance = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    ratios = [2.6, -1.9, 0.4]
    single, step = dunnett(ratios, covariance, 60), dunnett_step_down(ratios, covariance, 60)
    assert step[0] == pytest.approx(single[0])
    assert (step <= single + 1e-12).all()
    assert (np.diff(step) >= 0).all()


def test_a_gate_lets_nothing_through_that_the_stage_before_did_not_reject() -> None:
    first, second = gatekept([[0.001, 0.04], [0.0001, 0.5]])
    assert first.tolist() == [0.002, 0.04]
    assert second.tolist() == [0.04, 0.5]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_no_adjustment_makes_a_p_value_smaller_or_turns_the_order(p_values: list[float]) -> None:
    for method in R_NAMES:
        ours = adjust_p(p_values, method)
        assert (ours >= np.array(p_values) - 1e-12).all()
        assert (ours <= 1).all()
        assert (np.diff(ours[np.argsort(p_values, kind="stable")]) >= -1e-12).all()


def test_an_estimate_without_a_p_value_is_no_member_of_its_family() -> None:
    about = {"n": 10, "method": "", "sign": "", "unit": ""}
    known = wald("a", 2.0, 1.0, df=20, **about)
    from_one = adjusted([known], Adjustment.HOLM)[0]
    assert from_one.p_adjusted == known.p
    with pytest.raises(StatisticsError, match="covariance of the contrasts"):
        adjusted([known], Adjustment.DUNNETT)


def test_what_is_no_p_value_is_refused() -> None:
    with pytest.raises(StatisticsError, match="from 0 to 1"):
        adjust_p([0.5, 1.5], Adjustment.HOLM)
    with pytest.raises(StatisticsError, match="Use dunnett"):
        adjust_p([0.5], Adjustment.DUNNETT)
