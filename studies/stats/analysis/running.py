"""The analysis of a trial by its plan: a table in, every number as a record out.

The same table and plan give the same results to the last byte: nothing here reads a clock, and
whatever draws has its seed from the plan.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from studies.stats.adjustment import gatekept
from studies.stats.analysis.baseline_table import table_rows
from studies.stats.analysis.comparisons import REFERENCE
from studies.stats.analysis.described import described, model_rates, responder_records, unmodelled
from studies.stats.analysis.long_term import long_term_records
from studies.stats.analysis.modelled import Case, Modelled, covariance_analysis, mixed_model
from studies.stats.analysis.records import Record, visit_value
from studies.stats.analysis.sensitivity import sensitivity
from studies.stats.analysis.supplements import (
    conditional_records,
    exposure_records,
    interim_records,
    mediation_records,
    reliability_records,
)
from studies.stats.equivalence import MarginTest, equivalence, non_inferiority
from studies.stats.estimate import Estimate
from studies.stats.family import Adjustment
from studies.stats.plan.plan import AnalysisPlan
from studies.stats.plan.trial_table import TrialTable

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Results:
    """What an analysis found."""

    plan: AnalysisPlan
    table: TrialTable
    records: tuple[Record, ...]
    fits: tuple[dict[str, Any], ...]
    patterns: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]

    def primary(self) -> list[Record]:
        """Return the records that decide."""
        return [record for record in self.records if record.place.role == "primary"]

    def as_data(self) -> dict[str, Any]:
        """Return the results as JSON data."""
        levels, arms = self.table.levels, self.table.arms
        return {
            "format": FORMAT,
            "plan_hash": self.plan.digest,
            "data_hash": self.table.digest,
            "plan": self.plan.as_data(),
            "n_randomised": {arm: int((arms == place).sum()) for place, arm in enumerate(levels)},
            "estimates": [record.as_data() for record in self.records],
            "fits": list(self.fits),
            "baseline_table": table_rows(self.table, without=self.plan.adherence_column),
            "missing_patterns": list(self.patterns),
            "warnings": list(self.warnings),
        }


def analyse(
    plan: AnalysisPlan, table: TrialTable, *, progress: Callable[[str], None] = lambda _step: None
) -> Results:
    """Return everything that a plan asks of a table.

    Parameters
    ----------
    plan : AnalysisPlan
    table : TrialTable
    progress : callable
        Told the name of each step before it begins.
    """
    records: list[Record] = []
    fits: list[dict[str, Any]] = []
    warnings = list(table.warnings)
    for outcome in plan.outcomes:
        progress(outcome.name)
        case = Case(plan, table, outcome)
        for modelled in _models(case):
            records += modelled.records
            fits += modelled.fits
        records += described(case) + unmodelled(case) + responder_records(case)
        records += long_term_records(case)
        records += model_rates(case, records_of(records, outcome.name), plan.primary.method)
        if outcome.name == plan.primary.outcome:
            progress("sensitivity")
            records += sensitivity(case) + mediation_records(case)
            records += interim_records(case) + conditional_records(case, _deciding(records))
        progress("supplements")
        records += exposure_records(case) + reliability_records(case)
        warnings += left_out(case)
    records = _through_gates(plan, records)
    records += [found for record in records for found in _margins(plan, record)]
    return Results(
        plan,
        table,
        tuple(records),
        tuple(fits),
        tuple(missing_patterns(plan, table)),
        tuple(warnings),
    )


def records_of(records: list[Record], outcome: str) -> list[Record]:
    """Return the records of one outcome."""
    return [record for record in records if record.place.outcome == outcome]


def _deciding(records: list[Record]) -> list[Record]:
    return [r for r in records if r.place.role == "primary" and r.place.contrast is not None]


def _models(case: Case) -> list[Modelled]:
    found = [mixed_model(case), covariance_analysis(case)]
    if case.plan.primary.method == "clda":
        found.append(mixed_model(case, "clda"))
    return found


def left_out(case: Case) -> list[str]:
    """Return sentences about who is in no model, and why."""
    baseline = np.isnan(case.scores[:, 0])
    none = np.isnan(case.scores[:, 1:]).all(axis=1)
    found = []
    if (baseline & ~none).any():
        found.append(
            f"{case.outcome.name}: {int((baseline & ~none).sum())} participants with follow-up but "
            "without baseline are in no model that adjusts for it"
        )
    if none.any():
        found.append(
            f"{case.outcome.name}: {int(none.sum())} participants without any follow-up are in no "
            "model of follow-up scores"
        )
    unknown = {name: case.table.strata[name] == "" for name in case.plan.strata}
    unknown |= {name: np.isnan(case.table.covariates[name]) for name in case.plan.covariates}
    for name, is_unknown in unknown.items():
        lacking = int(is_unknown.sum())
        if lacking:
            found.append(
                f"{case.outcome.name}: {lacking} participants lack {name} and are in no model"
            )
    return found


def _through_gates(plan: AnalysisPlan, records: list[Record]) -> list[Record]:
    """Return the records with p values of later outcomes held back by those of earlier ones."""
    if len(plan.hierarchy) < 2:
        return records
    primary = plan.primary
    stages = [
        [
            place
            for place, record in enumerate(records)
            if (record.place.outcome, record.place.method, record.place.visit)
            == (name, primary.method, primary.visit)
            and record.place.family == REFERENCE
            and record.estimate.p is not None
        ]
        for name in plan.hierarchy
    ]
    # Within a stage the planned adjustment has been made already; only the gates are added.
    within = [[records[p].estimate.p_adjusted or records[p].estimate.p for p in s] for s in stages]
    passed = gatekept(within, Adjustment.NONE)
    result = list(records)
    for number, (stage, values) in enumerate(zip(stages, passed, strict=True)):
        for place, value in zip(stage, values, strict=True) if number else ():
            estimate = records[place].estimate
            adjust = f"{estimate.adjust} after {', '.join(plan.hierarchy[:number])}"
            result[place] = replace(
                records[place], estimate=replace(estimate, p_adjusted=float(value), adjust=adjust)
            )
    return result


def _margins(plan: AnalysisPlan, record: Record) -> list[Record]:
    """Return non-inferiority and equivalence of a contrast of the leading model, if planned."""
    place, contrast = record.place, record.estimate
    outcome = plan.outcome(place.outcome)
    is_asked = (
        outcome.margin is not None
        and place.method == plan.primary.method
        and place.family == REFERENCE
        and contrast.value is not None
    )
    if not is_asked:
        return []
    tests = {
        "non_inferiority": non_inferiority(
            contrast, outcome.margin, direction=outcome.direction, alpha=(1 - plan.level) / 2
        ),
        "equivalence": equivalence(contrast, outcome.margin, alpha=1 - plan.level),
    }
    return [
        Record(
            replace(place, method=name, role="secondary"), _margin_estimate(name, contrast, test)
        )
        for name, test in tests.items()
    ]


def _margin_estimate(name: str, contrast: Estimate, test: MarginTest) -> Estimate:
    verdict = "shown" if test.is_shown else "not shown"
    return Estimate(
        name, contrast.value, test.ci_low, test.ci_high, contrast.n,
        f"{name} within {test.margin:g} points: {verdict}; p is one-sided", contrast.sign,
        contrast.unit, se=contrast.se, df=contrast.df, p=test.p,
    )  # fmt: skip


def missing_patterns(plan: AnalysisPlan, table: TrialTable) -> list[dict[str, Any]]:
    """Return which visits people have, counted by outcome and arm."""
    found = []
    for outcome in plan.outcomes:
        seen = ~np.isnan(table.outcomes[outcome.name])
        for place, arm in enumerate(table.levels):
            kinds, counts = np.unique(seen[table.arms == place], axis=0, return_counts=True)
            for kind, count in zip(kinds[::-1], counts[::-1], strict=True):
                found.append(
                    {
                        "outcome": outcome.name,
                        "arm": arm,
                        "visits": [visit_value(v) for v in (plan.baseline_visit, *plan.visits)],
                        "observed": [int(value) for value in kind],
                        "n": int(count),
                    }
                )
    return found
