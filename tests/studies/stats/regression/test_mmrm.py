from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from studies.stats.errors import NotConverged, NotEstimable, TooFewObservations
from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import (
    hard_trial,
    trial_of_28,
    trial_of_200,
    trial_of_computer_cbt,
)
from tests.studies.stats.references import needs_references, results

Trial = tuple[Design, NDArray[np.float64]]

SETS = {
    "s02": (trial_of_computer_cbt, lambda: results("s02_btheb")),
    "s03 psqi": (lambda: trial_of_200("psqi"), lambda: results("s03_sim200")["psqi"]),
    "s03 cpss": (lambda: trial_of_200("cpss"), lambda: results("s03_sim200")["cpss"]),
    "s04": (trial_of_28, lambda: results("s04_small28")),
}


def made_trial(n: int = 60, n_visits: int = 3, seed: int = 5) -> Trial:
    """Return a trial of two arms with dropout and gaps."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    base = rng.normal(12, 3, n)
    spread = np.linalg.cholesky(
        9 * 0.6 ** np.abs(np.subtract.outer(range(n_visits), range(n_visits)))
    )
    outcomes = base[:, None] - 2 * arm[:, None] + rng.normal(size=(n, n_visits)) @ spread.T
    outcomes[rng.random(outcomes.shape) < 0.15] = np.nan
    terms = [
        Term(Intercept(n), OWN), Term(Covariate("base", base), OWN),
        Term(Factor("arm", arm, ("CBT", "LSTM_ACM")), OWN),
    ]  # fmt: skip
    return Design(terms, tuple(str(4 * visit) for visit in range(1, n_visits + 1))), outcomes


def fitted(trial: Trial, **options: bool) -> tuple[float, NDArray[np.float64], list[float]]:
    """Return log-likelihood, covariance, and the contrasts with their variances."""
    design, outcomes = trial
    fit = fit_mmrm(gram_of(design, outcomes), design, **options)
    values = []
    for visit in range(design.n_visits):
        row = contrast_row(design, visit)
        weights = fit.weights(row)
        values += [fit.value(row), weights @ fit.point.phi @ weights * fit.coordinates.y_spread**2]
    return fit.log_likelihood, fit.sigma, values


def contrast_row(design: Design, visit: int) -> NDArray[np.float64]:
    """Return the weights of the second arm minus the first."""
    arm = design.terms[-1].source
    return design.row(visit, {arm.name: arm.levels[1]}) - design.row(
        visit, {arm.name: arm.levels[0]}
    )


@needs_references
@pytest.mark.parametrize("name", SETS)
def test_the_restricted_likelihood_and_its_maximum_are_those_of_mmrm(name: str) -> None:
    trial, reference = SETS[name]
    expected = reference()["mmrm_REML"]
    log_likelihood, sigma, values = fitted(trial())
    assert log_likelihood == pytest.approx(expected["logLik"], abs=1e-7)
    np.testing.assert_allclose(sigma, np.array(expected["Sigma"]), rtol=1e-6)
    theirs = [
        row for row in expected["satterthwaite"]["contrasts_vs_ref"]
        if row["contrast"].split(" - ")[0].strip("()") in ("LSTM_ACM", "BtheB")
    ]  # fmt: skip
    assert values[::2] == pytest.approx([row["estimate"] for row in theirs], rel=1e-6, abs=1e-9)
    assert np.sqrt(values[1::2]) == pytest.approx([row["SE"] for row in theirs], rel=1e-6)


@needs_references
def test_full_likelihood_equals_mmrm_too() -> None:
    log_likelihood, sigma, _values = fitted(trial_of_computer_cbt(), is_reml=False)
    expected = results("s02_btheb")["mmrm_ML"]
    assert log_likelihood == pytest.approx(expected["logLik"], abs=1e-7)
    np.testing.assert_allclose(sigma, np.array(expected["Sigma"]), rtol=1e-6)


@needs_references
def test_ten_visits_of_condition_two_million_converge() -> None:
    expected = results("s10_hard")
    log_likelihood, _sigma, values = fitted(hard_trial())
    assert log_likelihood == pytest.approx(expected["logLik"], abs=1e-4)
    last = expected["last_visit_contrast"]
    assert values[-2] == pytest.approx(last["estimate"], abs=1e-5 * last["se"])
    assert values[-1] ** 0.5 == pytest.approx(last["se"], rel=1e-5)


@needs_references
def test_constrained_baselines_agree_with_gls_to_its_own_precision() -> None:
    design, outcomes = trial_of_200("psqi")
    base, site, sex, arm = (term.source for term in design.terms[1:])
    terms = [Term(Intercept(len(outcomes)), OWN), Term(site), Term(sex), Term(arm, (1, 2))]
    whole = Design(terms, ("0", "4", "8")), np.column_stack([base.values, outcomes])
    expected = results("s03_sim200")["psqi"]["clda_gls"]
    fit = fit_mmrm(gram_of(whole[0], whole[1]), whole[0])
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=1e-6)
    assert fit.n_participants == expected["n_subjects"]
    theirs = {row["term"]: row["estimate"] for row in expected["coefficients"]}
    for level in arm.levels[1:]:
        for visit in (1, 2):
            row = whole[0].row(visit, {"arm": level}) - whole[0].row(visit, {"arm": "CBT"})
            assert fit.value(row) == pytest.approx(theirs[f"{level}_v{visit + 1}"], abs=1e-4)


def with_rows(trial: Trial, order: NDArray[np.intp]) -> Trial:
    design, outcomes = trial
    terms = [Term(Intercept(len(order)), OWN)]
    for term in design.terms[1:]:
        source = term.source
        if isinstance(source, Factor):
            terms.append(replace(term, source=replace(source, codes=source.codes[order])))
        else:
            terms.append(replace(term, source=replace(source, values=source.values[order])))
    return Design(terms, design.visits), outcomes[order]


def shifted(trial: Trial) -> Trial:
    design, outcomes = trial
    base = replace(design.terms[1].source, values=design.terms[1].source.values * 4 + 1e6)
    terms = [design.terms[0], replace(design.terms[1], source=base), design.terms[2]]
    return Design(terms, design.visits), outcomes


def with_an_empty_person(trial: Trial) -> Trial:
    design, outcomes = with_rows(trial, np.r_[np.arange(len(trial[1])), 0])
    outcomes[-1] = np.nan
    return design, outcomes


CHANGES: dict[str, Callable[[Trial], Trial]] = {
    "another order of participants": lambda trial: with_rows(
        trial, np.random.default_rng(1).permutation(len(trial[1]))
    ),
    "a covariate on another scale, far from nought": shifted,
    "somebody without any follow-up": with_an_empty_person,
}


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_depends_on(name: str) -> None:
    trial = made_trial()
    expected, ours = fitted(trial), fitted(CHANGES[name](trial))
    assert ours[2] == pytest.approx(expected[2], rel=1e-8)
    np.testing.assert_allclose(ours[1], expected[1], rtol=1e-8)
    # The likelihood of REML has the covariate's scale in it, one factor 4 a visit.
    scale = np.log(4) * 3 if "scale" in name else 0
    assert ours[0] + scale == pytest.approx(expected[0], abs=1e-7)


def test_the_order_of_visits_does_not_matter() -> None:
    design, outcomes = made_trial()
    back = Design(design.terms, design.visits[::-1]), outcomes[:, ::-1]
    expected, ours = fitted((design, outcomes)), fitted(back)
    assert ours[0] == pytest.approx(expected[0], abs=1e-8)
    np.testing.assert_allclose(ours[1][::-1, ::-1], expected[1], rtol=1e-8)


@pytest.mark.parametrize(("factor", "shift"), [(3.0, 0.0), (1.0, 1e6), (0.01, -5.0)])
def test_an_affine_change_of_the_outcome_only_rescales(factor: float, shift: float) -> None:
    design, outcomes = made_trial()
    expected, ours = fitted((design, outcomes)), fitted((design, factor * outcomes + shift))
    assert ours[2][::2] == pytest.approx([factor * value for value in expected[2][::2]], rel=1e-8)
    np.testing.assert_allclose(ours[1], factor**2 * expected[1], rtol=1e-8)


def test_arms_may_be_called_anything() -> None:
    design, outcomes = made_trial()
    arm = design.terms[2].source
    swapped = replace(arm, codes=1 - arm.codes, levels=arm.levels[::-1])
    other = Design([*design.terms[:2], Term(swapped, OWN)], design.visits)
    expected, ours = fitted((design, outcomes)), fitted((other, outcomes))
    assert ours[2][::2] == pytest.approx([-value for value in expected[2][::2]], rel=1e-8)
    assert ours[0] == pytest.approx(expected[0], abs=1e-8)


def test_parts_may_be_summed_in_any_size_and_order() -> None:
    design, outcomes = made_trial()
    whole = gram_of(design, outcomes)
    chunked = gram_of(design, outcomes, rows_at_once=7)
    left, right = (with_rows((design, outcomes), np.arange(*part)) for part in ((0, 25), (25, 60)))
    merged = gram_of(*right, scaling=whole.scaling).merge(gram_of(*left, scaling=whole.scaling))
    for other in (chunked, merged):
        assert other.patterns == whole.patterns
        for name in ("n", "ww", "wy", "yy"):
            np.testing.assert_allclose(getattr(other, name), getattr(whole, name), atol=1e-10)


def test_taking_somebody_out_equals_never_having_had_them() -> None:
    design, outcomes = made_trial()
    gram = gram_of(design, outcomes)
    without = gram.without(design.block(slice(3, 4))[0], outcomes[3])
    fit = fit_mmrm(without, design)
    others = np.delete(np.arange(60), 3)
    expected = fitted(with_rows((design, outcomes), others))
    assert fit.log_likelihood == pytest.approx(expected[0], abs=1e-8)
    np.testing.assert_allclose(fit.sigma, expected[1], rtol=1e-7)


def test_without_anything_missing_the_means_are_those_of_least_squares() -> None:
    design, outcomes = made_trial()
    outcomes = np.nan_to_num(outcomes, nan=10.0)
    fit = fit_mmrm(gram_of(design, outcomes), design)
    w = design.block(slice(None))
    for visit in range(3):
        beta, residual, *_rest = np.linalg.lstsq(w, outcomes[:, visit], rcond=None)
        assert fit.value(contrast_row(design, visit)) == pytest.approx(beta[2], rel=1e-9)
        assert fit.sigma[visit, visit] == pytest.approx(residual[0] / (60 - 3), rel=1e-7)


def test_an_empty_cell_of_arm_and_visit_is_not_estimable_and_named() -> None:
    design, outcomes = made_trial()
    outcomes[design.terms[2].source.codes == 1, 2] = np.nan
    fit = fit_mmrm(gram_of(design, outcomes), design)
    assert fit.coordinates.redundant == ("armLSTM_ACM @ 12",)
    assert np.isfinite(fit.value(contrast_row(design, 0)))
    with pytest.raises(NotEstimable, match="armLSTM_ACM @ 12"):
        fit.value(contrast_row(design, 2))


def test_a_copied_covariate_changes_no_contrast() -> None:
    design, outcomes = made_trial()
    copy = Covariate("copy", design.terms[1].source.values * 2 - 1)
    doubled = Design([*design.terms[:2], Term(copy), design.terms[2]], design.visits)
    fit = fit_mmrm(gram_of(doubled, outcomes), doubled)
    assert fit.coordinates.redundant == ("copy",)
    plain = fit_mmrm(gram_of(design, outcomes), design)
    row = contrast_row(doubled, 2)
    assert fit.value(row) == pytest.approx(plain.value(contrast_row(design, 2)), rel=1e-8)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-8)


def test_what_cannot_be_fitted_is_refused_by_name() -> None:
    design, outcomes = made_trial()
    with pytest.raises(NotEstimable, match="vary around their means"):
        fit_mmrm(gram_of(design, np.full_like(outcomes, 7.0)), design)
    few = with_rows((design, outcomes), np.arange(3))
    with pytest.raises(TooFewObservations, match="got"):
        fit_mmrm(gram_of(*few), few[0])
    apart = outcomes.copy()
    apart[:30, 2], apart[30:, 1] = np.nan, np.nan
    with pytest.raises(TooFewObservations, match="observed at visits 8 and 12"):
        fit_mmrm(gram_of(design, apart), design)


def test_copied_visits_have_no_maximum() -> None:
    design, outcomes = made_trial()
    outcomes[:, 2] = outcomes[:, 1]
    with pytest.raises((NotConverged, NotEstimable)):
        fit_mmrm(gram_of(design, outcomes), design)
