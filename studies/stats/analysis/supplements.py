"""What a plan asks for beside the comparison of arms: ways, music, scales, looks before the end.

mediation_*     of the effect on the primary outcome through another outcome measured earlier
exposure_*      slopes of an outcome on a feature of the music that was heard (`exposure.py`)
alpha, omega ...  of each scale, at each visit; `retest_icc` between baseline and the last visit
interim_*       the bounds of the planned looks, and the chance to pass the last one from now

What needs arms apart is not asked of a table with one pool.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studies.stats.analysis.comparisons import REFERENCE, Comparison, comparisons_of
from studies.stats.analysis.modelled import Case
from studies.stats.analysis.records import Place, Record, refused
from studies.stats.design.interim import blinded_sd, conditional_power, spending_bounds
from studies.stats.errors import NotConverged, StatisticsError
from studies.stats.estimate import NO_SIGN, Estimate, not_estimable
from studies.stats.exposure import FeatureEffect, feature_effects
from studies.stats.mediation import mediation
from studies.stats.plan.plan import Mediator
from studies.stats.regression.terms import OWN, Design, Factor, Intercept, Term
from studies.stats.reliability import (
    FEWEST_ITEMS,
    ScaleFigures,
    retest_agreement,
    scale_figures,
)

Array = NDArray[np.float64]

ROLE = "supportive"
OUT_OF_ORDER = "looked at before the planned end: judge it by the bound of this look"


def mediation_records(case: Case) -> list[Record]:
    """Return direct, indirect and total effect of each arm by each planned mediator."""
    return [
        record
        for mediator in case.plan.mediators
        for arm, comparison in enumerate(_with_reference(case), start=1)
        for record in _mediated(case, mediator, arm, comparison)
    ]


def exposure_records(case: Case) -> list[Record]:
    """Return the slopes of the outcome on each planned feature, within and between people."""
    features = {name: case.table.varying[name][:, 1:] for name in case.plan.exposure}
    if not features:
        return []
    place = Place(case.outcome.name, "", case.plan.visits[-1], role=ROLE)
    better = "negative" if str(case.outcome.direction) == "lower" else "positive"
    found = feature_effects(
        case.scores[:, 1:], features, case.scores[:, 0], _arm(case),
        sign=f"{better} goes with better scores where the feature is higher",
        level=case.plan.level,
    )  # fmt: skip
    return [record for effect in found for record in _slopes(place, effect)]


def reliability_records(case: Case) -> list[Record]:
    """Return the reliability of the outcome's scale at each visit."""
    columns = case.plan.reliability.get(case.outcome.name)
    if not columns:
        return []
    items = np.stack([case.table.varying[name] for name in columns], axis=2)
    visits = (case.plan.baseline_visit, *case.plan.visits)
    records = [
        record
        for column, visit in enumerate(visits)
        for record in _scale(
            Place(case.outcome.name, "", visit, role=ROLE), items[:, column], case.plan.level
        )
    ]
    last = Place(case.outcome.name, "retest_icc", visits[-1], role=ROLE)
    return [*records, _retest(case, last)]


def interim_records(case: Case) -> list[Record]:
    """Return the bounds of every planned look, and how the contrasts of now stand to them."""
    looks = case.plan.interim
    if looks is None:
        return []
    primary = Place(case.outcome.name, "interim_bound", case.plan.primary.visit, role=ROLE)
    bounds = spending_bounds(looks.information, alpha=looks.alpha, kind=looks.spending)
    records = [
        Record(
            replace(primary, method=f"interim_bound_{number}"),
            Estimate(
                "z", look.bound, None, None, 0,
                f"{looks.spending}, information {look.information:g}, alpha spent {look.spent:.4g}",
                NO_SIGN, "z", p=look.nominal_p,
            ),
        )
        for number, look in enumerate(bounds, start=1)
    ]  # fmt: skip
    return records + _blinded(case, primary)


def conditional_records(case: Case, contrasts: list[Record]) -> list[Record]:
    """Return z and conditional power of each primary contrast with the reference."""
    looks = case.plan.interim
    if looks is None or looks.information[looks.now - 1] >= 1:
        return []
    bounds = spending_bounds(
        (*looks.information, 1.0) if looks.information[-1] < 1 else looks.information,
        alpha=looks.alpha, kind=looks.spending,
    )  # fmt: skip
    better = -1.0 if str(case.outcome.direction) == "lower" else 1.0
    information = looks.information[looks.now - 1]
    records = []
    for record in contrasts:
        found = record.estimate
        if found.value is None or not found.se:
            continue
        z = better * found.value / found.se
        power = conditional_power(z, information, bounds[-1].bound)
        about = {"n": found.n, "sign": "positive favours the first arm", "warnings": (
            OUT_OF_ORDER,)}  # fmt: skip
        now = bounds[looks.now - 1].bound
        verdict = "passes" if z >= now else "does not pass"
        for method, value, unit, how in (
            ("interim_z", z, "z", f"{verdict} the bound {now:.3f} of this look"),
            ("conditional_power", power, "proportion", "the trend of the data goes on"),
        ):
            estimate = Estimate(method, value, None, None, method=how, unit=unit, **about)
            records.append(Record(replace(record.place, method=method, role=ROLE), estimate))
    return records


def _with_reference(case: Case) -> list[Comparison]:
    return [c for c in comparisons_of(case.table.levels) if c.family == REFERENCE]


def _arm(case: Case) -> Factor | None:
    return case.arm() if len(case.table.levels) > 1 else None


def _mediated(case: Case, mediator: Mediator, arm: int, comparison: Comparison) -> list[Record]:
    plan = case.plan
    visit = plan.primary.visit
    name = f"{mediator.outcome}_{mediator.visit}"
    place = Place(case.outcome.name, f"mediation_{name}", visit, comparison.label, role=ROLE,
                  family=REFERENCE)  # fmt: skip
    through = case.table.outcomes[mediator.outcome]
    arms = case.table.arms
    pair = (arms == arm) | (arms == 0)
    try:
        found = mediation(
            case.scores[pair, 1 + plan.visits.index(visit)],
            through[pair, 1 + plan.visits.index(mediator.visit)], (arms[pair] == arm).astype(float),
            _varying_columns(_covariates(case, through[:, 0])[pair]),
            mediator_visit=float(plan.visits.index(mediator.visit)),
            outcome_visit=float(plan.visits.index(visit)), sign=case.sign, seed=plan.seed,
            level=plan.level,
        )  # fmt: skip
    except StatisticsError as error:
        return [
            refused(replace(place, method=f"{place.method}_indirect"), "indirect", error, n=0,
                    sign=case.sign)
        ]  # fmt: skip
    r = found.error_correlation_at_zero
    note = f"errors that correlate by {r:.2f} would explain the indirect effect away"
    indirect = replace(found.indirect, warnings=(*found.indirect.warnings, note))
    parts = {"indirect": indirect, "direct": found.direct, "total": found.total,
             "arm_on_mediator": found.arm_on_mediator,
             "mediator_on_outcome": found.mediator_on_outcome}  # fmt: skip
    return [
        Record(replace(place, method=f"{place.method}_{part}"), estimate)
        for part, estimate in parts.items()
    ]


def _covariates(case: Case, baseline_of_mediator: Array) -> Array:
    terms = [Term(Intercept(len(case.scores)), OWN), Term(case.baseline())]
    terms += [Term(source) for source in case.others()]
    design = Design(terms, (case.plan.primary.visit,))
    columns = np.where(design.known()[:, None], design.block(slice(None)), np.nan)
    return np.column_stack([columns, baseline_of_mediator])


def _varying_columns(columns: Array) -> Array:
    """Return the columns that vary, after the ones: a level that nobody has would be redundant."""
    varies = np.nanstd(columns, axis=0) > 0
    varies[0] = True
    return columns[:, varies]


def _slopes(place: Place, effect: FeatureEffect) -> list[Record]:
    records = []
    for side, estimate in (("within", effect.within), ("between", effect.between)):
        told = estimate
        if effect.collinear_with:
            note = f"goes together with {', '.join(effect.collinear_with)}"
            told = replace(estimate, warnings=(*estimate.warnings, note))
        method = f"exposure_{effect.name}_{side}"
        records.append(Record(replace(place, method=method), told, "not_estimable"))
    return records


def _scale(place: Place, items: Array, level: float) -> list[Record]:
    asked = items[~np.isnan(items).all(axis=1)]
    about = {"sign": "higher is better", "unit": "reliability"}
    try:
        found = scale_figures(asked, level=level)
    except StatisticsError as error:
        where = replace(place, method="alpha")
        return [refused(where, "alpha", error, n=len(asked), **about)]
    return [
        Record(replace(place, method=name), estimate, NotConverged.code)
        for name, estimate in _figures(found)
    ]


def _figures(found: ScaleFigures) -> list[tuple[str, Estimate]]:
    def plain(name: str, value: float, how: str, unit: str) -> Estimate:
        return Estimate(name, value, None, None, found.n, how, "higher is better", unit)

    figures = [("alpha", found.alpha)]
    how = "one factor, maximum likelihood"
    if found.omega is not None:
        figures.append(("omega", plain("omega", found.omega, how, "reliability")))
    elif len(found.items) > FEWEST_ITEMS:
        reason = "one factor does not fit the items: read alpha alone"
        figures.append(
            ("omega", not_estimable("omega", n=found.n, method=how, sign="higher is better",
                                    unit="reliability", reason=reason))
        )  # fmt: skip
    sem, change = found.standard_error, found.smallest_detectable_change
    how = "SD times the root of 1 - alpha"
    return [
        *figures,
        ("standard_error", replace(plain("standard_error", sem, how, "points"), sign=NO_SIGN)),
        ("smallest_detectable_change",
         replace(plain("change", change, "1.96 root 2 of it", "points"), sign=NO_SIGN)),
    ]  # fmt: skip


def _retest(case: Case, place: Place) -> Record:
    first, last = case.scores[:, 0], case.scores[:, -1]
    n = int((~np.isnan(first) & ~np.isnan(last)).sum())
    try:
        value = retest_agreement(first, last)
    except StatisticsError as error:
        return refused(place, "icc", error, n=n, sign="higher is better", unit="reliability")
    note = "people were treated in between: a lower bound of test and retest"
    return Record(place, Estimate("icc", value, None, None, n, "ICC(2,1), baseline and this visit",
                                  "higher is better", "reliability", warnings=(note,)))  # fmt: skip


def _blinded(case: Case, primary: Place) -> list[Record]:
    difference = case.plan.interim.difference
    if difference is None:
        return []
    place = replace(primary, method="blinded_sd")
    scores = case.scores[:, 1 + case.plan.visits.index(case.plan.primary.visit)]
    n = int((~np.isnan(scores)).sum())
    n_arms = max(2, len(case.plan.arms), len(case.table.levels))
    try:
        value = blinded_sd(scores, difference, n_arms)
    except StatisticsError as error:
        return [refused(place, "sd", error, n=n, sign=NO_SIGN)]
    how = f"all arms together, less what a difference of {difference:g} would add"
    return [Record(place, Estimate("sd", value, None, None, n, how, NO_SIGN, "points"))]
