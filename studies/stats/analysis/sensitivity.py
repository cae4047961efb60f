"""The primary contrast under other assumptions: who left, how arms were drawn, who listened.

These numbers stand beside the primary one and are not adjusted for each other; their role is
``sensitivity``. What a trial is too small or too large for is labelled.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studies.stats.analysis.comparisons import REFERENCE, Comparison, comparisons_of
from studies.stats.analysis.modelled import Case
from studies.stats.analysis.records import Place, Record, refused
from studies.stats.change import Direction
from studies.stats.design.rerandomisation import draw_allocations, randomisation_test
from studies.stats.dose import complier_effect, dose_response
from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.estimate import Estimate, not_estimable
from studies.stats.missing.imputation import Pooled, completed_scores, pooled
from studies.stats.missing.reference_based import MAR, Imputed, impute_by_reference
from studies.stats.plan.plan import Scheme
from studies.stats.regression.linear import LinearFit, fit_linear
from studies.stats.regression.terms import OWN, SHARED, Design, Intercept, Term

Array = NDArray[np.float64]


def sensitivity(case: Case) -> list[Record]:
    """Return every sensitivity analysis of the primary outcome that the plan asks for."""
    records = [*_imputed_by_reference(case), *_multiply_imputed(case)]
    if case.plan.randomisation:
        records.append(_rerandomised(case))
    if case.plan.adherence_column:
        records += _by_dose(case)
    return records


def _design(case: Case) -> tuple[Design, NDArray[np.bool_]]:
    """Return the mixed model's design for everybody with known sources, and who they are."""
    by_visit = OWN if case.plan.baseline_by_visit else SHARED
    terms = [Term(Intercept(len(case.scores)), OWN), Term(case.baseline(), by_visit)]
    terms += [*(Term(source) for source in case.others()), Term(case.arm(), OWN)]
    design = Design(terms, case.plan.visits)
    known = design.known()
    return design.take(known), known


def _with_reference(case: Case) -> list[Comparison]:
    return [c for c in comparisons_of(case.table.levels) if c.family == REFERENCE]


def _place(case: Case, method: str, visit: str, contrast: str | None) -> Place:
    return Place(
        case.outcome.name, method, visit, contrast=contrast, role="sensitivity",
        family=REFERENCE if contrast else "",
    )  # fmt: skip


def _imputed_by_reference(case: Case) -> list[Record]:
    plan = case.plan
    if not plan.sensitivity and not plan.tipping_deltas:
        return []
    methods = [*plan.sensitivity, *(_delta_name(d) for d in plan.tipping_deltas), "tipping_point"]
    design, known = _design(case)
    try:
        found = impute_by_reference(design, case.scores[known, 1:], strategies=plan.sensitivity)
    except StatisticsError as error:
        return [
            refused(_place(case, method, plan.primary.visit, c.label), method, error, n=0,
                    sign=case.sign)
            for method in methods
            for c in _with_reference(case)
        ]  # fmt: skip
    records = []
    for arm, comparison in enumerate(_with_reference(case)):
        for visit, name in enumerate(plan.visits):
            place = _place(case, "", name, comparison.label)
            records += [
                Record(
                    replace(place, method=strategy),
                    found.estimate(strategy, visit, arm, sign=case.sign, level=plan.level),
                )
                for strategy in plan.sensitivity
            ]
            records += _tipping(case, found, place, visit, arm)
    return records


def _tipping(case: Case, found: Imputed, place: Place, visit: int, arm: int) -> list[Record]:
    """Return the contrast under growing deltas, and the least at which it is not significant."""
    worse = 1.0 if case.outcome.direction is Direction.LOWER else -1.0
    records = [
        Record(
            replace(place, method=_delta_name(delta)),
            found.estimate(
                MAR, visit, arm, sign=case.sign, delta=worse * delta, level=case.plan.level
            ),
        )
        for delta in case.plan.tipping_deltas
    ]
    if not case.plan.tipping_deltas:
        return records
    delta = found.tipping_point(visit, arm, direction=worse, level=case.plan.level)
    about = {
        "n": found.n, "method": "delta added to imputed values, missing at random",
        "sign": "points worse than imputed", "unit": "points",
    }  # fmt: skip
    if delta is None:
        reason = "not significant to begin with, or no delta up to 50 points changes that"
        tip = not_estimable("tipping_point", reason=reason, **about)
    else:
        tip = Estimate("tipping_point", abs(delta), None, None, **about)
    return [*records, Record(replace(place, method="tipping_point"), tip, "not_estimable")]


def _delta_name(delta: float) -> str:
    return f"{MAR}_delta_{delta:g}"


def _multiply_imputed(case: Case) -> list[Record]:
    plan = case.plan
    visit = plan.visits.index(plan.primary.visit)
    method = "multiple_imputation"
    design, known = _design(case)
    shared = [
        replace(term, visits=OWN if place == 0 else SHARED)
        for place, term in enumerate(design.terms)
    ]
    one_visit = Design(shared, (plan.primary.visit,))
    places = [(c, _place(case, method, plan.primary.visit, c.label)) for c in _with_reference(case)]
    try:
        fits = [
            fit_linear(one_visit, scores[:, visit])
            for scores in completed_scores(design, case.scores[known, 1:], seed=plan.seed)
        ]
        return [
            Record(place, _pooled(fits, one_visit, comparison).estimate(
                method, n=int(known.sum()), sign=case.sign, level=plan.level))
            for comparison, place in places
        ]  # fmt: skip
    except StatisticsError as error:
        return [refused(place, method, error, n=0, sign=case.sign) for _c, place in places]


def _pooled(fits: list[LinearFit], design: Design, comparison: Comparison) -> Pooled:
    row = design.row(0, {"arm": comparison.first}) - design.row(0, {"arm": comparison.second})
    values = [fit.value(row) for fit in fits]
    variances = [float(fit.covariance(row[None])[0, 0]) for fit in fits]
    return pooled(values, variances, fits[0].df_residual)


def _covariates(case: Case) -> Array:
    """Return ones, baseline and strata, without the arm, shape (n, q); NaN where unknown."""
    terms = [Term(Intercept(len(case.scores)), OWN), Term(case.baseline())]
    terms += [Term(source) for source in case.others()]
    design = Design(terms, (case.plan.primary.visit,))
    return np.where(design.known()[:, None], design.block(slice(None)), np.nan)


def _rerandomised(case: Case) -> Record:
    """Return the randomisation test of all arms at the primary visit."""
    plan = case.plan
    scheme, levels = plan.randomisation, case.table.levels
    place = _place(case, "rerandomisation", plan.primary.visit, None)
    column = 1 + plan.visits.index(plan.primary.visit)
    strata = ["|".join(row) for row in zip(*case.table.strata.values(), strict=True)]
    try:
        _require_ratios(scheme, levels)
        draws = draw_allocations(
            strata or ["all"] * len(case.scores),
            {level: scheme.ratios[level] for level in levels}, scheme.sizes,
            scheme.n_draws, seed=plan.seed,
        )  # fmt: skip
        test = randomisation_test(case.scores[:, column], _covariates(case), case.table.arms, draws)
    except StatisticsError as error:
        return refused(place, "F", error, n=0, sign="no direction", unit="F")
    estimate = Estimate(
        "F", test.f, None, None, test.n, f"re-randomisation, {test.n_draws} draws of the scheme",
        "no direction", "F", p=test.p,
        warnings=("participants are drawn in the order of their ids",),
    )  # fmt: skip
    return Record(place, estimate)


def _require_ratios(scheme: Scheme, levels: tuple[str, ...]) -> None:
    if set(scheme.ratios) != set(levels):
        raise NotEstimable(
            f"expected a ratio for each of {', '.join(levels)} in the plan's randomisation, got "
            f"{', '.join(scheme.ratios)}."
        )


def _by_dose(case: Case) -> list[Record]:
    """Return the dose's slope in the treated arms, and the complier effect of each arm."""
    plan = case.plan
    dose = case.table.covariates[plan.adherence_column]
    column = 1 + plan.visits.index(plan.primary.visit)
    scores, w, arms = case.scores[:, column], _covariates(case), case.table.arms
    treated = arms > 0
    with_arms = np.column_stack([w, *(arms == k for k in range(2, len(case.table.levels)))])
    place = _place(case, "dose_response", plan.primary.visit, None)
    records = [
        _tried(case, place, lambda: dose_response(
            scores[treated], dose[treated], with_arms[treated], sign="negative favours more dose"
            if case.outcome.direction is Direction.LOWER else "positive favours more dose",
            level=plan.level)),
    ]  # fmt: skip
    # Nobody in the reference arm is offered the music: an unknown dose there is none.
    taken = np.where(treated | ~np.isnan(dose), dose, 0.0)
    for arm, comparison in enumerate(_with_reference(case), start=1):
        pair = (arms == arm) | (arms == 0)
        place = _place(case, "cace", plan.primary.visit, comparison.label)
        records.append(
            _tried(case, place, lambda pair=pair, arm=arm: complier_effect(
                scores[pair], taken[pair], (arms[pair] == arm).astype(float), w[pair],
                sign=case.sign, level=plan.level).estimate)
        )  # fmt: skip
    return records


def _tried(case: Case, place: Place, estimate: Callable[[], Estimate]) -> Record:
    try:
        return Record(place, estimate())
    except StatisticsError as error:
        return refused(place, place.method, error, n=0, sign=case.sign)
