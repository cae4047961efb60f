"""The long table that is analysed: one row a participant and visit, as a CSV text.

The very table that `manage.py analyse` reads, so that anybody can repeat the analysis with it. Who
counts is in `outcomes.py`. While the study is blinded everybody's arm is ``all``, and what only
listeners have (minutes, features of the music) is left empty, for it would tell a music arm.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby

import numpy as np

from questionnaires.instruments.cpss import CPSS, REVERSED, TOP_CODE
from questionnaires.selectors import item_rows, score_table
from studies.models.listening import ListeningSession
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.selectors.outcomes import analysed_codes, arm_labels
from studies.stats.exposure import exposure_means
from studies.stats.plan.plan import AnalysisPlan

TOTAL = "total"
HEARD, MINUTES = "heard_", "listened_minutes"
REVERSED_ITEMS = frozenset(f"item_{number}" for number in REVERSED)

Cells = dict[tuple[str, int], dict[str, float | None]]


def analysis_csv(study: Study, plan: AnalysisPlan) -> str:
    """Return the table with the columns that the plan names, rows by code and week."""
    codes = analysed_codes(study)
    arms = arm_labels(study, codes)
    weeks = tuple(int(visit) for visit in (plan.baseline_visit, *plan.visits))
    scores = _scores(codes, plan)
    facts = dict(
        Participant.objects.filter(study=study, code__in=codes).values_list("code", "strata")
    )
    listened = {} if study.is_blinded else _listened(study, codes, weeks, plan)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    columns = _columns(plan)
    writer.writerow([plan.id_column, plan.arm_column, plan.visit_column, *columns])
    for code in codes:
        for week in weeks:
            known = facts[code] | scores.get((code, week), {}) | listened.get((code, week), {})
            writer.writerow([code, arms[code], week, *(_cell(known.get(c)) for c in columns)])
    return out.getvalue()


def _columns(plan: AnalysisPlan) -> list[str]:
    asked = [*plan.strata, *(outcome.column for outcome in plan.outcomes), *plan.covariates]
    asked += [plan.adherence_column] if plan.adherence_column else []
    return list(dict.fromkeys((*asked, *plan.varying_columns)))


def _cell(value: object) -> object:
    return "" if value is None or value != value else value


def _scores(codes: Iterable[str], plan: AnalysisPlan) -> Cells:
    """Return totals under the instrument's name, other scores and items under `name_part`."""
    submitted = list(
        Assessment.objects.filter(
            state=AssessmentState.SUBMITTED, visit__participant__code__in=list(codes),
            instrument__in=[outcome.name for outcome in plan.outcomes],
        ).values_list("response_id", "visit__participant__code", "visit__week", "instrument")
    )  # fmt: skip
    table = score_table([response for response, *_rest in submitted])
    cells: Cells = {}
    for response, code, week, instrument in submitted:
        row = cells.setdefault((code, week), {})
        for name, value in table[response].items():
            row[instrument if name == TOTAL else f"{instrument}_{name}"] = value
    if CPSS.key in plan.reliability:
        where = {r: (code, week) for r, code, week, name in submitted if name == CPSS.key}
        for item in item_rows(where):
            points = _points(item.item_key, item.value)
            cells[where[item.response_id]][f"{CPSS.key}_{item.item_key}"] = points
    return cells


def _points(item: str, value: object) -> float | None:
    if value is None or value == "":
        return None
    return TOP_CODE - int(value) if item in REVERSED_ITEMS else int(value)


def _listened(
    study: Study, codes: tuple[str, ...], weeks: tuple[int, ...], plan: AnalysisPlan
) -> Cells:
    """Return minutes of all nights, and the features heard between one visit and the next."""
    nights = _nights(study, codes)
    place = {code: number for number, code in enumerate(codes)}
    ends = _ends(study, codes)
    totals = {code: sum(minutes for *_n, minutes, _f in of) for code, of in _by_code(nights)}
    cells: Cells = {
        (code, week): {MINUTES: round(totals[code], 3) if code in totals else None}
        for code in codes
        for week in weeks
    }
    periods = [_period(ends.get(code, []), night_on) for code, night_on, _m, _f in nights]
    for column in plan.exposure:
        name = column.removeprefix(HEARD)
        usable = [(n, p) for n, p in zip(nights, periods, strict=True) if 0 < p < len(weeks)]
        means = exposure_means(
            [place[night[0]] for night, _p in usable], [p for _n, p in usable],
            np.array([night[3].get(name) for night, _p in usable], dtype=float),
            [night[2] for night, _p in usable], n_people=len(codes), n_periods=len(weeks),
        )  # fmt: skip
        for code in codes:
            for period, week in enumerate(weeks):
                mean = means[place[code], period]
                cells[code, week][column] = None if np.isnan(mean) else round(float(mean), 6)
    return cells


def _nights(study: Study, codes: tuple[str, ...]) -> list[tuple[str, date, float, dict]]:
    sessions = ListeningSession.objects.filter(
        assignment__participant__study=study, assignment__participant__code__in=codes
    ).order_by("assignment__participant__code", "assignment__night_on", "pk")
    rows = sessions.values_list(
        "assignment__participant__code", "assignment__night_on", "heard_s",
        "assignment__playlist__track__features",
    )  # fmt: skip
    return [(code, on, heard_s / 60, features or {}) for code, on, heard_s, features in rows]


def _by_code(nights: list[tuple[str, date, float, dict]]) -> Iterator[tuple[str, list]]:
    for code, of in groupby(nights, key=lambda night: night[0]):
        yield code, list(of)


def _ends(study: Study, codes: tuple[str, ...]) -> dict[str, list[date]]:
    """Return each participant's follow-up days in order: what was heard before belongs to them."""
    rows = Visit.objects.filter(participant__study=study, participant__code__in=codes, week__gt=0)
    ends: dict[str, list[date]] = {}
    for code, target in rows.order_by("week").values_list("participant__code", "target_on"):
        ends.setdefault(code, []).append(target)
    return ends


def _period(ends: list[date], night_on: date) -> int:
    """Return before which follow-up a night was, counted from 1; one beyond after the last."""
    return 1 + sum(night_on >= end for end in ends)
