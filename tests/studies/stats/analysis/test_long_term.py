"""Visits after the one that decides: the models have them, and responders are followed."""

from typing import Any

import numpy as np
import pytest

from studies.stats.analysis.pooled import describe_together
from studies.stats.report.blocks import Table
from studies.stats.report.composing import About, compose
from studies.stats.report.wording import LANGUAGES, words_in
from tests.studies.stats.analysis.test_running import analysed, found, one

VISITS = (4, 8, 24, 52)
# Who responds (score 5 or less) at weeks 8, 24 and 52; None is a missed visit.
COURSES = {
    "CBT": [(3, 3, 3), (3, 9, 3), (3, 3, 9), (9, 3, 3), (9, 9, 9), (3, None, 9), (3, 3, None)],
    "MCMG": [(9, 9, 9)] * 3,
}


def course_rows() -> list[dict[str, Any]]:
    rows = []
    for arm, courses in COURSES.items():
        for number, later in enumerate(courses):
            for visit, score in zip((0, *VISITS), (15, 12, *later), strict=True):
                rows.append({"id": f"{arm}{number}", "arm": arm, "visit": visit, "sex": "F",
                             "psqi": "" if score is None else score})  # fmt: skip
    return rows


def course_plan() -> dict[str, Any]:
    return {"visits": list(VISITS), "outcomes": {"psqi": {"responder": {"score_at_most": 5}}}}


def share(results: Any, method: str, visit: int, arm: str) -> tuple[int, float | None]:
    record = one(results, method=method, visit=visit, arm=arm)
    return record["n"], record["estimate"]


def test_responders_are_followed_after_the_primary_visit_and_not_before() -> None:
    results = analysed(course_rows(), **course_plan())
    assert {r["visit"] for r in found(results, method="sustained")} == {24, 52}
    assert share(results, "sustained", 24, "CBT") == (6, pytest.approx(3 / 6))
    assert share(results, "relapse", 24, "CBT") == (4, pytest.approx(1 / 4))
    assert share(results, "sustained", 52, "CBT") == (5, pytest.approx(1 / 5))
    assert share(results, "relapse", 52, "CBT") == (4, pytest.approx(2 / 4))
    assert share(results, "sustained", 52, "MCMG") == (3, 0.0)
    nobody = one(results, method="relapse", visit=52, arm="MCMG")
    assert (nobody["n"], nobody["estimate"], nobody["status"]) == (0, None, "not_estimable")


def test_a_trial_that_ends_with_its_primary_visit_has_no_long_term() -> None:
    results = analysed(course_rows(), **(course_plan() | {"visits": [4, 8]}))
    assert found(results, method="sustained") == []


def test_the_mixed_model_takes_any_number_of_visits() -> None:
    rng = np.random.default_rng(11)
    rows = []
    for person in range(60):
        level, arm = rng.normal(12, 2), ("CBT", "MCMG")[person % 2]
        for visit in (0, *VISITS):
            effect = 2.0 * (visit > 0) * (arm == "MCMG")
            score = round(level - effect + rng.normal(), 3)
            rows.append({"id": f"P{person:02}", "arm": arm, "visit": visit, "psqi": score,
                         "sex": "FM"[person > 29]})  # fmt: skip
    results = analysed(rows, **course_plan())
    for visit in VISITS:
        record = one(results, method="mmrm", visit=visit, contrast="MCMG - CBT")
        assert record["status"] == "ok"
        assert record["ci_low"] < -2 < record["ci_high"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_whether_the_response_lasts(language: str) -> None:
    results = analysed(course_rows(), **course_plan())
    together = describe_together(results.plan, results.table)
    for each, n_rows in ((results, 4), (together, 2)):
        words = words_in(language)
        report = compose(each, About("S"), words)
        captions = [b for b in report.blocks if isinstance(b, Table)]
        (table,) = [b for b in captions if words("tables.sustained") in b.header]
        assert len(table.rows) == n_rows
