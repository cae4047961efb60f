import numpy as np
import pytest

from studies.stats.errors import NotConverged, TooFewObservations
from studies.stats.regression.logistic import fit_logistic
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from tests.studies.stats.reference_trials import ARMS, factor, numbers
from tests.studies.stats.references import needs_references, results
from tests.studies.stats.test_proportions import responded


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_the_model_and_its_standardised_risks_are_those_of_glm(outcome: str) -> None:
    base = numbers("s03_sim200", f"{outcome}_0")[:, 0]
    terms = [
        Term(Intercept(200), OWN), Term(factor("s03_sim200", "arm", ARMS)),
        Term(Covariate("b", base)), Term(factor("s03_sim200", "site")),
    ]  # fmt: skip
    fit = fit_logistic(Design(terms, ("8",)), responded(outcome))
    expected = results("s03_sim200")[outcome]["responder_8"]["logistic"]
    theirs = [row["estimate"] for row in expected["coefficients"]]
    assert fit.beta == pytest.approx(theirs, rel=1e-9)
    assert fit.deviance == pytest.approx(expected["deviance"], rel=1e-9)
    for arm, risk in expected["marginal_risk"].items():
        assert fit.risks("arm", arm)[0] == pytest.approx(risk, rel=1e-9)
    for row, arm in zip(expected["marginal_rd_vs_ref"], ARMS[1:], strict=True):
        ours = fit.risk_difference("arm", arm, "CBT")
        assert ours.value == pytest.approx(row["rd"], rel=1e-9)
        # glm stops one step earlier than we do, which its covariance shows.
        assert ours.se == pytest.approx(row["se_delta"], rel=1e-7)


def test_a_group_that_wholly_responds_has_no_finite_odds() -> None:
    arm = Factor("arm", np.repeat([0, 1], 10), ("CBT", "GAMC"))
    design = Design([Term(Intercept(20), OWN), Term(arm)], ("8",))
    answers = np.r_[np.ones(10), np.tile([0.0, 1.0], 5)]
    with pytest.raises(NotConverged, match="everybody or nobody"):
        fit_logistic(design, answers)
    with pytest.raises(TooFewObservations, match="got 2"):
        fit_logistic(design, np.r_[1.0, 0.0, [np.nan] * 18])
