from collections import defaultdict

import numpy as np
import pytest

from studies.stats.errors import NotEstimable, StatisticsError, TooFewObservations
from studies.stats.missing.imputation import completed_scores, joint_test, pooled
from studies.stats.regression.linear import LinearFit, fit_linear
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import table
from tests.studies.stats.references import TOLERANCE, needs_references, results
from tests.studies.stats.regression.test_mmrm import contrast_row, made_trial


def fits() -> list[LinearFit]:
    sets: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in table("s07_imputed_long"):
        sets[row[".imp"]].append(row)
    return [_fit(rows) for rows in sets.values()]


def _fit(rows: list[dict[str, str]]) -> LinearFit:
    def labels(name: str, levels: tuple[str, ...]) -> Factor:
        return Factor(name, np.array([levels.index(row[name]) for row in rows]), levels)

    base = Covariate("psqi_0", np.array([float(row["psqi_0"]) for row in rows]))
    terms = [
        Term(Intercept(len(rows)), OWN), Term(base), Term(labels("site", ("A", "B", "C"))),
        Term(labels("sex", ("F", "M"))),
        Term(labels("arm", ("CBT", "GAMC", "LSTM_ACM", "MCMG"))),
    ]  # fmt: skip
    return fit_linear(Design(terms, ("8",)), np.array([float(row["psqi_8"]) for row in rows]))


@needs_references
def test_pooling_is_that_of_mice() -> None:
    found, unit = fits(), np.eye(8)
    for place, theirs in enumerate(results("s07_mi_pool")["pooled"]):
        row = unit[place]
        ours = pooled(
            [fit.value(row) for fit in found],
            [fit.covariance(row[None])[0, 0] for fit in found], 192,
        )  # fmt: skip
        for value, key in ((ours.value, "estimate"), (ours.se, "std.error"), (ours.df, "df"),
                           (ours.riv, "riv"), (ours.fmi, "fmi")):  # fmt: skip
            assert value == pytest.approx(theirs[key], rel=TOLERANCE)
        estimate = ours.estimate(theirs["term"], n=200, sign="")
        assert estimate.p == pytest.approx(theirs["p.value"], rel=1e-8)


@needs_references
def test_the_joint_test_is_d1() -> None:
    found, unit = fits(), np.eye(8)[5:]
    ours = joint_test(
        [[fit.value(row) for row in unit] for fit in found], [fit.covariance(unit) for fit in found]
    )
    theirs = results("s07_mi_pool")["D1_arm"]
    assert ours == pytest.approx([theirs[key] for key in ("D1", "df1", "df2", "p")], rel=TOLERANCE)


def test_the_degrees_of_freedom_never_exceed_those_of_complete_data() -> None:
    varying = pooled([1.0, 1.4, 0.8], [0.2, 0.2, 0.2], 50)
    assert varying.df < 50
    assert pooled([1.0, 1.4, 0.8], [0.2] * 3, 50, is_classical=True).df > varying.df
    same = pooled([1.0, 1.0], [0.2, 0.2], 50)
    assert (same.df, same.riv) == (50, 0)


def test_imputations_are_seeded_and_leave_what_was_observed_alone() -> None:
    design, outcomes = made_trial()
    first, second = (list(completed_scores(design, outcomes, n_imputations=2)) for _ in range(2))
    seen = ~np.isnan(outcomes)
    for ours, again in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours, again)
        np.testing.assert_array_equal(ours[seen], outcomes[seen])
        assert np.isfinite(ours).all()
    assert not np.array_equal(first[0], first[1])


def test_pooled_imputations_are_near_the_mixed_model() -> None:
    design, outcomes = made_trial(n=200)
    one_visit = Design(design.terms, ("12",))
    row = contrast_row(one_visit, 0)

    found = [
        fit_linear(one_visit, scores[:, 2])
        for scores in completed_scores(design, outcomes, n_imputations=10, seed=3)
    ]
    ours = pooled(
        [fit.value(row) for fit in found], [fit.covariance(row[None])[0, 0] for fit in found], 197
    )
    assert ours.value == pytest.approx(-2, abs=3 * ours.se)
    assert 0 < ours.fmi < 0.5


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(TooFewObservations, match="got 1"):
        pooled([1.0], [0.1], 10)
    with pytest.raises(TooFewObservations, match="got 1"):
        joint_test([[1.0]], [[[1.0]]])
    with pytest.raises(StatisticsError, match="positive variances"):
        pooled([1.0, 2.0], [0.0, 0.0], 10)
    design, outcomes = made_trial(n=12)
    outcomes[design.terms[2].source.codes == 1, 2] = np.nan
    with pytest.raises(NotEstimable, match="bootstrap"):
        next(completed_scores(design, outcomes))
