"""A trial described with all arms together: what may be looked at while it is blinded.

The same plan, table and records as `running.py`, with one pool instead of arms: descriptions,
responders, scales, the blinded standard deviation. Nothing is compared, so nothing can tell an arm.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from studies.stats.analysis.described import described, responder_shares
from studies.stats.analysis.long_term import long_term_records
from studies.stats.analysis.modelled import Case
from studies.stats.analysis.records import Record
from studies.stats.analysis.running import Results, left_out, missing_patterns
from studies.stats.analysis.supplements import interim_records, reliability_records
from studies.stats.plan.plan import AnalysisPlan
from studies.stats.plan.trial_table import POOL, TrialTable

WHY = "arms are together: the study is blinded"


def describe_together(
    plan: AnalysisPlan, table: TrialTable, *, progress: Callable[[str], None] = lambda _step: None
) -> Results:
    """Return what a plan asks of a table that can be told without arms.

    Parameters
    ----------
    plan : AnalysisPlan
    table : TrialTable
        Its arms are not looked at.
    progress : callable
        Told the name of each step before it begins.
    """
    together = replace(table, arms=np.zeros(len(table.ids), dtype=np.intp), levels=(POOL,))
    records: list[Record] = []
    warnings = [WHY, *table.warnings]
    for outcome in plan.outcomes:
        progress(outcome.name)
        case = Case(plan, together, outcome)
        records += described(case) + responder_shares(case) + long_term_records(case)
        records += reliability_records(case)
        if outcome.name == plan.primary.outcome:
            records += interim_records(case)
        warnings += left_out(case)
    patterns = tuple(missing_patterns(plan, together))
    return Results(plan, together, tuple(records), (), patterns, tuple(warnings))
