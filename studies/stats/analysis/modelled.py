"""The models of one outcome: the mixed model, its constrained form, and covariance analysis.

mmrm          y ~ visit + baseline * visit + strata + covariates + arm * visit, unstructured, REML
clda          the baseline as a response: y ~ visit + strata + covariates + arm * follow-up visit
ancova        one visit: y ~ baseline + strata + covariates + arm
ancova_hc3    the same with HC3 standard errors

The mixed model keeps everybody with a baseline and one follow-up, the constrained one everybody
with any visit, covariance analysis everybody with that follow-up. A visit that nobody has yet is
left out and its numbers labelled.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studies.stats.analysis.comparisons import (
    Question,
    comparisons_of,
    contrast_records,
    contrast_row,
    mean_records,
    refused_contrasts,
)
from studies.stats.analysis.records import Place, Record, refused, visit_value
from studies.stats.change import Direction
from studies.stats.effects import adjusted_smd
from studies.stats.errors import StatisticsError, TooFewObservations
from studies.stats.estimate import Estimate, favours
from studies.stats.plan.plan import AnalysisPlan, PlannedOutcome
from studies.stats.plan.trial_table import TrialTable
from studies.stats.regression.linear import Covariance, LinearFit, fit_linear
from studies.stats.regression.mmrm import MmrmFit, fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.small_sample import Inference, JointTest
from studies.stats.regression.terms import (
    OWN,
    SHARED,
    Covariate,
    Design,
    Factor,
    Intercept,
    Source,
    Term,
)

Array = NDArray[np.float64]

SMALL_CELL = 5
FEWEST_AT_A_VISIT = 2


@dataclass(frozen=True, slots=True)
class Modelled:
    """Records of a model's numbers, and the fits they come from as JSON data."""

    records: list[Record]
    fits: list[dict[str, Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One outcome of one trial, with the sources of its models."""

    plan: AnalysisPlan
    table: TrialTable
    outcome: PlannedOutcome

    @property
    def scores(self) -> Array:
        """Scores, the baseline first, shape (n, 1 + m)."""
        return self.table.outcomes[self.outcome.name]

    @property
    def sign(self) -> str:
        """What the sign of a contrast means."""
        return favours(self.outcome.direction is Direction.LOWER)

    def others(self) -> list[Source]:
        """Return strata and covariates."""
        return [
            *(_factor(name, self.table.strata[name]) for name in self.plan.strata),
            *(Covariate(name, self.table.covariates[name]) for name in self.plan.covariates),
        ]

    def arm(self) -> Factor:
        """Return the arm as a factor."""
        return Factor("arm", self.table.arms, self.table.levels)

    def baseline(self) -> Covariate:
        """Return the baseline as a covariate."""
        return Covariate("baseline", self.scores[:, 0])

    def role(self, method: str, visit: str) -> str:
        """Return whether numbers of a method at a visit are the primary ones."""
        primary = self.plan.primary
        is_primary = (primary.outcome, primary.method, primary.visit) == (
            self.outcome.name, method, visit,
        )  # fmt: skip
        return "primary" if is_primary else "secondary"

    def notes(self, column: int, used: NDArray[np.bool_]) -> dict[str, str]:
        """Return warnings about arms with few scores at a visit."""
        seen = used & ~np.isnan(self.scores[:, column])
        counts = np.bincount(self.table.arms[seen], minlength=len(self.table.levels))
        visit = (self.plan.baseline_visit, *self.plan.visits)[column]
        return {
            arm: f"only {count} participants of {arm} at visit {visit}"
            for arm, count in zip(self.table.levels, counts, strict=True)
            if count < SMALL_CELL
        }


def mixed_model(case: Case, method: str = "mmrm") -> Modelled:
    """Return adjusted means, contrasts, joint tests and the fit of the mixed model.

    A model that cannot be fitted leaves records that say so; nothing is raised.
    """
    columns = _visits_with_scores(case)
    try:
        if not columns:
            raise TooFewObservations(
                f"expected two participants or more with {case.outcome.name} at a follow-up visit, "
                "got fewer. Wait for more."
            )
        fit, used = fit_mixed(case, method, columns)
    except StatisticsError as error:
        everything = range(1, case.scores.shape[1])
        return Modelled(_refusals(case, method, error, everything), [])
    inference = Inference(fit, case.plan.primary.small_sample)
    records = []
    for column in range(1, case.scores.shape[1]):
        if column in columns:
            records += _visit_records(case, method, inference, columns, column, used)
        else:
            error = TooFewObservations(
                "expected two participants or more at this visit, got fewer."
            )
            records += _refusals(case, method, error, [column])
    return Modelled(records, [_fit_data(case, method, inference, columns, used)])


def fit_mixed(case: Case, method: str, columns: list[int]) -> tuple[MmrmFit, NDArray[np.bool_]]:
    """Return the mixed model over some columns of the scores, and who is in it.

    Raises
    ------
    StatisticsError
        It cannot be fitted.
    """
    own, used = mixed_design(case, method, columns)
    outcomes = case.scores[:, ([0] if method == "clda" else []) + columns][used]
    return fit_mmrm(gram_of(own, outcomes), own), used


def mixed_design(case: Case, method: str, columns: list[int]) -> tuple[Design, NDArray[np.bool_]]:
    """Return the design of the mixed model for those who can be in it, and who they are."""
    n = len(case.scores)
    if method == "clda":
        shown = [0, *columns]
        terms = [Term(Intercept(n), OWN), *(Term(source) for source in case.others())]
        terms.append(Term(case.arm(), tuple(range(1, len(shown)))))
    else:
        shown = columns
        by_visit = OWN if case.plan.baseline_by_visit else SHARED
        terms = [Term(Intercept(n), OWN), Term(case.baseline(), by_visit)]
        terms += [*(Term(source) for source in case.others()), Term(case.arm(), OWN)]
    names = (case.plan.baseline_visit, *case.plan.visits)
    design = Design(terms, tuple(names[column] for column in shown))
    used = design.known() & ~np.isnan(case.scores[:, shown]).all(axis=1)
    if not used.any():
        raise TooFewObservations("expected participants with baseline and follow-up, got none.")
    return design.take(used), used


def covariance_analysis(case: Case) -> Modelled:
    """Return adjusted means and contrasts of every follow-up visit, classical and HC3."""
    records: list[Record] = []
    fits: list[dict[str, Any]] = []
    n = len(case.scores)
    terms = [Term(Intercept(n), OWN), Term(case.baseline())]
    terms += [*(Term(source) for source in case.others()), Term(case.arm())]
    for column, visit in enumerate(case.plan.visits, start=1):
        design = Design(terms, (visit,))
        try:
            fit = fit_linear(design, case.scores[:, column])
        except StatisticsError as error:
            records += _refusals(case, "ancova", error, [column])
            continue
        used = design.known() & ~np.isnan(case.scores[:, column])
        for kind in (Covariance.CLASSICAL, Covariance.HC3):
            method = "ancova" if kind is Covariance.CLASSICAL else "ancova_hc3"
            question = _question(case, method, fit.design, 0, column, fit.n, used)
            records += mean_records(_Kind(fit, kind), question, case.table.levels)
            records += contrast_records(_Kind(fit, kind), question, case.table.levels)
        records += _standardised(case, "ancova", records, visit, fit.sigma, "residual SD")
        fits.append(_linear_data(case, fit, visit))
    return Modelled(records, fits)


@dataclass(frozen=True, eq=False, slots=True)
class _Kind:
    """A linear fit that answers with one kind of standard error."""

    fit: LinearFit
    kind: Covariance

    def estimate(self, row: Array, label: str, **about: Any) -> Estimate:
        return self.fit.estimate(row, label, kind=self.kind, **about)

    def covariance(self, rows: Array) -> Array:
        return self.fit.covariance(rows, self.kind)


def _factor(name: str, labels: NDArray[np.str_]) -> Factor:
    levels = tuple(sorted({str(label) for label in labels if label}))
    codes = np.array([levels.index(str(label)) if label else -1 for label in labels], dtype=int)
    return Factor(name, codes, levels or ("",))


def _visits_with_scores(case: Case) -> list[int]:
    counts = (~np.isnan(case.scores)).sum(axis=0)
    return [c for c in range(1, case.scores.shape[1]) if counts[c] >= FEWEST_AT_A_VISIT]


def _question(
    case: Case, method: str, design: Design, place: int, column: int, n: int,
    used: NDArray[np.bool_],
) -> Question:  # fmt: skip
    visit = case.plan.visits[column - 1]
    return Question(
        Place(case.outcome.name, method, visit, role=case.role(method, visit)), design, place,
        case.sign, case.plan.level, case.plan.primary.adjust, n, case.notes(column, used),
    )  # fmt: skip


def _visit_records(
    case: Case, method: str, inference: Inference, columns: list[int], column: int,
    used: NDArray[np.bool_],
) -> list[Record]:  # fmt: skip
    fit = inference.fit
    place = columns.index(column) + (method == "clda")
    question = _question(case, method, fit.design, place, column, fit.n_participants, used)
    records = mean_records(inference, question, case.table.levels)
    records += contrast_records(inference, question, case.table.levels)
    visit = case.plan.visits[column - 1]
    sd = float(fit.sigma[place, place]) ** 0.5
    records += _standardised(case, method, records, visit, sd, "model's SD at the visit")
    return [*records, _joint(case, method, inference, question)]


def _standardised(
    case: Case, method: str, records: list[Record], visit: str, sd: float, sd_name: str
) -> list[Record]:
    found = []
    for record in records:
        place, contrast = record.place, record.estimate
        is_wanted = (place.method, place.visit) == (method, visit) and place.contrast
        if not is_wanted or contrast.value is None or contrast.df is None:
            continue
        place = replace(place, method=f"{method}_smd", role="secondary")
        found.append(Record(place, adjusted_smd(contrast, sd, sd_name, level=case.plan.level)))
    return found


def _joint(case: Case, method: str, inference: Inference, question: Question) -> Record:
    """Return the F test that all arms are alike at a visit."""
    reference = [c for c in comparisons_of(case.table.levels) if c.family == "versus_reference"]
    place = replace(question.place, method=f"{method}_joint", role="secondary")
    try:
        test = inference.joint(np.array([contrast_row(question, c) for c in reference]))
    except StatisticsError as error:
        return refused(place, "F", error, n=question.n, sign="no direction", unit="F")
    return Record(place, _joint_estimate(test, question.n))


def _joint_estimate(test: JointTest, n: int) -> Estimate:
    return Estimate(
        "F", test.f, None, None, n, f"F test on {test.df_numerator:.0f} df", "no direction", "F",
        df=test.df_denominator, p=test.p,
    )  # fmt: skip


def _refusals(
    case: Case, method: str, error: StatisticsError, columns: Iterator[int] | list[int] | range
) -> list[Record]:
    records = []
    for column in columns:
        visit = case.plan.visits[column - 1]
        place = Place(case.outcome.name, method, visit, role=case.role(method, visit))
        n = int((~np.isnan(case.scores[:, column])).sum())
        records += refused_contrasts(place, error, case.table.levels, n=n, sign=case.sign)
    return records


def _fit_data(
    case: Case, method: str, inference: Inference, columns: list[int], used: NDArray[np.bool_]
) -> dict[str, Any]:
    fit = inference.fit
    kept = list(fit.coordinates.kept)
    unit = np.eye(fit.design.n_coefficients)[kept]
    # A kept column of a model with redundant ones is a combination, not a coefficient of its own.
    whole = not fit.coordinates.redundant
    covariance = inference.covariance(unit) if whole else np.zeros((0, 0))
    with_follow_up = ~np.isnan(case.scores[:, columns]).all(axis=1)
    return {
        "outcome": case.outcome.name,
        "method": method,
        "visits": [visit_value(visit) for visit in fit.design.visits],
        "log_likelihood": fit.log_likelihood,
        "is_reml": fit.is_reml,
        "covariance": fit.sigma.tolist(),
        "aic": fit.aic,
        "n": fit.n_participants,
        "n_participants": fit.n_participants,
        "n_observations": fit.n_observations,
        "n_left_out_without_baseline_or_covariate": int((with_follow_up & ~used).sum()),
        "n_iterations": fit.n_iterations,
        "df": str(inference.small_sample),
        "redundant": list(fit.coordinates.redundant),
        "coefficients": _coefficients(inference, unit, np.diag(covariance)) if whole else [],
        "coefficient_covariance": covariance.tolist(),
    }  # fmt: skip


def _coefficients(inference: Inference, unit: Array, variances: Array) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "estimate": inference.fit.value(row),
            "se": float(variance) ** 0.5 if variance > 0 else None,
            "df": inference.df(row),
        }
        for name, row, variance in zip(inference.fit.design.names, unit, variances, strict=True)
    ]


def _linear_data(case: Case, fit: LinearFit, visit: str) -> dict[str, Any]:
    return {
        "outcome": case.outcome.name,
        "method": "ancova",
        "visits": [visit_value(visit)],
        "log_likelihood": fit.log_likelihood,
        "is_reml": False,
        "covariance": [[fit.sigma**2]],
        "n": fit.n,
        "n_participants": fit.n,
        "n_observations": fit.n,
        "df": "residual",
        "df_residual": fit.df_residual,
        "redundant": list(fit.coordinates.redundant),
    }
