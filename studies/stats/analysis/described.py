"""One outcome described and compared without a model: change, responders, effect sizes, ranks.

Numbers of one arm are descriptions: they carry no p value, for "improved in this arm, not in that"
compares nothing. Comparisons between arms carry one, unadjusted: they stand beside the model.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studies.stats.analysis.comparisons import REFERENCE, Comparison, comparisons_of
from studies.stats.analysis.modelled import Case
from studies.stats.analysis.records import Place, Record, refused
from studies.stats.change import change, rate_individual, rate_model, rate_of_means
from studies.stats.descriptives import describe
from studies.stats.effects import hedges_g
from studies.stats.errors import NotEstimable, StatisticsError
from studies.stats.estimate import POSITIVE_IS_BETTER, Estimate, not_estimable
from studies.stats.plan.responder_rules import responses
from studies.stats.proportions import (
    Count,
    number_needed_to_treat,
    odds_ratio,
    responders_by,
    risk_difference,
    risk_ratio,
)
from studies.stats.ranks import kruskal_wallis, mann_whitney
from studies.stats.regression.logistic import fit_logistic
from studies.stats.regression.terms import OWN, Design, Intercept, Term
from studies.stats.responders import wilson

Array = NDArray[np.float64]


def described(case: Case) -> list[Record]:
    """Return mean, change and change rates of each arm at each visit."""
    records = []
    for column, visit in enumerate((case.plan.baseline_visit, *case.plan.visits)):
        for place_in_levels, arm in enumerate(case.table.levels):
            members = case.table.arms == place_in_levels
            place = Place(case.outcome.name, "mean", visit, arm=arm, role="descriptive")
            before, after = case.scores[members, 0], case.scores[members, column]
            records.append(Record(place, _mean(after, case.plan.level), "not_estimable"))
            if column:
                records += _changes(case, place, before, after)
    return records


def model_rates(case: Case, model_records: list[Record], method: str) -> list[Record]:
    """Return the change rate that each adjusted mean of a model stands for."""
    baseline = case.scores[:, 0]
    seen = ~np.isnan(baseline) & ~np.isnan(case.scores[:, 1:]).all(axis=1)
    if not seen.any():
        return []
    mean = float(baseline[seen].mean())
    return [
        Record(
            replace(record.place, method="rate_model", role="descriptive"),
            rate_model(record.estimate, mean, direction=case.outcome.direction),
            record.status,
        )
        for record in model_records
        if record.place.method == method and record.estimate.label == "adjusted_mean"
    ]


def unmodelled(case: Case) -> list[Record]:
    """Return effect sizes and rank tests of each comparison with the reference, at each visit."""
    records: list[Record] = []
    for column, visit in enumerate(case.plan.visits, start=1):
        samples = [
            case.scores[case.table.arms == arm, column] for arm in range(len(case.table.levels))
        ]
        for comparison in _with_reference(case):
            first, second = (
                samples[case.table.levels.index(arm)]
                for arm in (comparison.first, comparison.second)
            )
            place = _comparison_place(case, comparison, visit)
            for method, estimate in (
                ("hedges_g", lambda a=first, b=second: hedges_g(
                    a, b, level=case.plan.level, sign=case.sign)),
                ("hodges_lehmann", lambda a=first, b=second: mann_whitney(
                    a, b, level=case.plan.level, sign=case.sign)[1]),
            ):  # fmt: skip
                records.append(_tried(replace(place, method=method), estimate, case))
        records.append(_kruskal(case, samples, visit))
    return records


def responder_records(case: Case) -> list[Record]:
    """Return responders by arm and compared, with the missing left out and as none."""
    if case.outcome.responder is None:
        return []
    records: list[Record] = []
    for visit, responded in _responded(case):
        records += _counted(case, visit, responded, "")
        records += _counted(case, visit, np.nan_to_num(responded, nan=0.0), "_nonresponder")
        records += _standardised_risks(case, visit, responded)
    return records


def responder_shares(case: Case) -> list[Record]:
    """Return responders by arm alone, with the missing left out and as none; none compared."""
    if case.outcome.responder is None:
        return []
    return [
        record
        for visit, responded in _responded(case)
        for values, suffix in (
            (responded, ""), (np.nan_to_num(responded, nan=0.0), "_nonresponder"),
        )
        for record in _counted(case, visit, values, suffix)
        if record.place.arm is not None
    ]  # fmt: skip


def _responded(case: Case) -> Iterator[tuple[str, Array]]:
    for column, visit in enumerate(case.plan.visits, start=1):
        yield visit, responses(
            case.scores[:, 0], case.scores[:, column], case.outcome.responder,
            case.outcome.direction,
        )  # fmt: skip


def _changes(case: Case, place: Place, before: Array, after: Array) -> Iterator[Record]:
    about = {"direction": case.outcome.direction, "level": case.plan.level}
    individual = rate_individual(before, after, **about)
    median = replace(individual.mean, label="rate_individual_median")
    if individual.median is not None:
        median = Estimate(
            "rate_individual_median", individual.median, None, None, individual.mean.n,
            "median of individual rates", POSITIVE_IS_BETTER, "%",
        )  # fmt: skip
    for method, estimate in (
        ("change", change(before, after, **about)),
        ("rate_individual", individual.mean),
        ("rate_individual_median", median),
        ("rate_of_means", rate_of_means(before, after, **about)),
    ):
        yield Record(replace(place, method=method), estimate, "not_estimable")


def _mean(values: Array, level: float) -> Estimate:
    found = describe(values, level=level)
    about = {"method": "mean, t interval", "sign": "the score itself", "unit": "points"}
    if found.mean is None:
        return not_estimable("mean", n=0, reason="nobody has a score", **about)
    se = found.sd / found.n**0.5 if found.sd is not None else None
    return Estimate(
        "mean", found.mean, found.ci_low, found.ci_high, found.n, **about, sd=found.sd, se=se,
        df=float(found.n - 1) if found.n > 1 else None,
        warnings=() if found.n > 1 else ("one participant alone gives no interval",),
    )  # fmt: skip


def _with_reference(case: Case) -> list[Comparison]:
    return [c for c in comparisons_of(case.table.levels) if c.family == REFERENCE]


def _comparison_place(case: Case, comparison: Comparison, visit: str) -> Place:
    return Place(
        case.outcome.name, "", visit, contrast=comparison.label, family=comparison.family,
        role="supportive",
    )  # fmt: skip


def _tried(place: Place, estimate: Callable[[], Estimate], case: Case) -> Record:
    try:
        return Record(place, estimate(), "not_estimable")
    except StatisticsError as error:
        return refused(place, place.method, error, n=0, sign=case.sign)


def _kruskal(case: Case, samples: list[Array], visit: str) -> Record:
    place = Place(case.outcome.name, "kruskal_wallis", visit, role="supportive")
    try:
        test = kruskal_wallis(samples)
    except NotEstimable as error:
        return refused(place, "H", error, n=0, sign="no direction", unit="H")
    n = int(sum((~np.isnan(sample)).sum() for sample in samples))
    estimate = Estimate(
        "H", test.statistic, None, None, n, "Kruskal-Wallis, ties corrected", "no direction", "H",
        df=test.df, p=test.p,
    )  # fmt: skip
    return Record(place, estimate)


def _counted(case: Case, visit: str, responded: Array, suffix: str) -> list[Record]:
    arms = np.array(case.table.levels)[case.table.arms]
    counts = responders_by(arms, responded, case.table.levels)
    role = "sensitivity" if suffix else "supportive"
    records = [
        Record(
            Place(case.outcome.name, f"responders{suffix}", visit, arm=arm, role="descriptive"),
            wilson(count.n_responders, count.n, level=case.plan.level),
            "not_estimable",
        )
        for arm, count in zip(case.table.levels, counts, strict=True)
    ]
    by_arm = dict(zip(case.table.levels, counts, strict=True))
    for comparison in _with_reference(case):
        place = replace(_comparison_place(case, comparison, visit), role=role)
        pair = by_arm[comparison.first], by_arm[comparison.second]
        records += [
            Record(replace(place, method=f"{estimate.label}{suffix}"), estimate, "not_estimable")
            for estimate in _compared(*pair, case.plan.level)
        ]
    return records


def _compared(first: Count, second: Count, level: float) -> list[Estimate]:
    difference = risk_difference(first, second, level=level)
    return [
        difference,
        risk_ratio(first, second, level=level),
        odds_ratio(first, second, level=level),
        number_needed_to_treat(difference),
    ]


def _standardised_risks(case: Case, visit: str, responded: Array) -> list[Record]:
    """Return risk differences standardised over baseline, strata and covariates."""
    terms = [Term(Intercept(len(responded)), OWN), Term(case.baseline())]
    terms += [*(Term(source) for source in case.others()), Term(case.arm())]
    places = [
        (c, replace(_comparison_place(case, c, visit), method="standardised_risk_difference"))
        for c in _with_reference(case)
    ]
    about = {"sign": "positive means more responders in the first arm", "unit": "proportion"}
    try:
        fit = fit_logistic(Design(terms, (visit,)), responded)
    except StatisticsError as error:
        return [refused(place, place.method, error, n=0, **about) for _c, place in places]
    return [
        Record(place, fit.risk_difference("arm", c.first, c.second, level=case.plan.level))
        for c, place in places
    ]
