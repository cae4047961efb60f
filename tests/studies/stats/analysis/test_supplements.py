"""Mediation, exposure, reliability and looks before the end, asked by a plan of a table."""

from typing import Any

import numpy as np
import pytest

from studies.stats.analysis.pooled import describe_together
from studies.stats.analysis.running import Results
from studies.stats.errors import PlanError
from studies.stats.plan.reading import plan_of
from tests.studies.stats.analysis.test_running import analysed, found, made_rows, one
from tests.studies.stats.plan.test_reading import changed

OUTCOMES = {"psqi": {"responder": {"change_at_least": 3}}, "cpss": {}}
ITEMS = ["cpss_1", "cpss_2", "cpss_3"]
SUPPLEMENTS = {
    "outcomes": OUTCOMES,
    "mediation": [{"outcome": "cpss", "visit": 4}],
    "exposure": ["tempo"],
    "reliability": {"cpss": ITEMS},
    "interim": {"information": [0.5, 1], "now": 1, "difference": 2},
}


def rich_rows(slope: float = 0.5) -> list[dict[str, Any]]:
    """Return the made trial with stress, its items, and a tempo that sleep follows in music."""
    rng = np.random.default_rng(5)
    rows = []
    for row in made_rows(120):
        level = rng.normal(2, 0.8)
        items = [int(np.clip(round(level + rng.normal(0, 0.5)), 0, 4)) for _ in ITEMS]
        tempo = rng.normal(60, 4) if row["visit"] and row["arm"] != "CBT" else ""
        score = row["psqi"]
        if score != "" and tempo != "":
            score = score + slope * (tempo - 60)
        rows.append(
            row | {"psqi": score, "cpss": sum(items), "tempo": tempo}
            | dict(zip(ITEMS, items, strict=True))
        )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def results() -> Results:
    return analysed(rich_rows(), **SUPPLEMENTS)


def test_the_total_effect_is_the_direct_one_and_the_one_through_the_mediator(results):
    for contrast in ("LSTM_ACM - CBT", "MCMG - CBT"):
        parts = {
            part: one(results, method=f"mediation_cpss_4_{part}", contrast=contrast)["estimate"]
            for part in ("total", "direct", "indirect")
        }
        assert parts["total"] == pytest.approx(parts["direct"] + parts["indirect"], abs=1e-9)


def test_a_feature_that_sleep_follows_is_found_within_people_and_adjusted(results):
    slope = one(results, method="exposure_tempo_within", outcome="psqi")
    assert slope["ci_low"] < 0.5 < slope["ci_high"]
    assert slope["p_adjusted"] < 0.001
    assert "association" in slope["warnings"][0]


def test_each_visit_of_a_scale_has_its_reliability(results):
    alphas = found(results, method="alpha", outcome="cpss")
    assert [record["visit"] for record in alphas] == [0, 4, 8]
    assert all(0.5 < record["estimate"] < 1 for record in alphas)
    assert found(results, method="alpha", outcome="psqi") == []


def test_intervals_of_features_and_scales_have_the_level_of_the_plan(results):
    narrower = analysed(rich_rows(), **SUPPLEMENTS, level=0.8)
    for method in ("exposure_tempo_within", "alpha"):
        wide = found(results, method=method, outcome="cpss")[0]
        narrow = found(narrower, method=method, outcome="cpss")[0]
        assert wide["estimate"] == narrow["estimate"]
        assert wide["ci_low"] < narrow["ci_low"] < narrow["ci_high"] < wide["ci_high"]


def test_looks_have_bounds_and_contrasts_a_conditional_power(results):
    bounds = [one(results, method=f"interim_bound_{look}")["estimate"] for look in (1, 2)]
    # rpact: O'Brien-Fleming spending at 0.5 and 1, one-sided 0.025.
    assert bounds == pytest.approx([2.962588, 1.968596], abs=1e-4)
    assert len(found(results, method="conditional_power")) == 2
    assert one(results, method="blinded_sd")["estimate"] > 0


def test_what_is_not_asked_for_changes_neither_records_nor_the_plans_hash():
    plain = analysed(made_rows())
    methods = {record["method"] for record in found(plain)}
    assert not [name for name in methods if name.startswith(("mediation", "exposure", "interim"))]
    assert "interim" not in plan_of(changed()).as_data()


def test_a_scale_with_a_constant_item_is_labelled_not_reckoned():
    rows = [row | {"cpss_1": 2} for row in rich_rows()]
    alphas = found(analysed(rows, **SUPPLEMENTS), method="alpha", outcome="cpss")
    assert {(record["estimate"], record["status"]) for record in alphas} == {
        (None, "not_estimable")
    }


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mediation", [{"outcome": "cpss", "visit": 8}], "before 8"),
        ("mediation", [{"outcome": "mood", "visit": 4}], "mediation.outcome"),
        ("reliability", {"mood": ["a", "b"]}, "reliability"),
        ("interim", {"information": [1, 0.5]}, "rising fractions"),
        ("interim", {"information": [0.5], "now": 2}, "one of 1 looks"),
        ("interim", {"information": [0.5], "alpha": 0.7}, "one-sided alpha"),
    ],
)
def test_a_plan_that_asks_for_the_impossible_is_refused(key, value, words):
    with pytest.raises(PlanError, match=words):
        plan_of(changed(outcomes=OUTCOMES) | {key: value})


def test_a_blinded_description_is_the_same_whoever_had_which_arm(results):
    plan, table = results.plan, results.table
    together = describe_together(plan, table)
    assert together.table.levels == ("all",)
    text = str(together.as_data()["estimates"]) + str(together.as_data()["missing_patterns"])
    assert "LSTM" not in text
    assert "CBT" not in text
    n = sum(together.as_data()["n_randomised"].values())
    assert n == len(table.ids)
