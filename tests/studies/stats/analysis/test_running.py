import csv
import io
import itertools
from typing import Any

import numpy as np
import pytest

from studies.stats.analysis.records import to_json
from studies.stats.analysis.running import Results, analyse
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import read_table
from tests.studies.stats.plan.test_reading import changed
from tests.studies.stats.reference_trials import table
from tests.studies.stats.references import needs_references, results

OUTCOMES = {
    "psqi": {"responder": {"any": [{"change_at_least": 3}, {"score_at_most": 5}]}},
    "cpss": {"responder": {"score_at_most": 25}},
}


def long_rows() -> list[dict[str, Any]]:
    return [
        {"id": row["id"], "arm": row["arm"], "visit": visit, "psqi": row[f"psqi_{visit}"],
         "cpss": row[f"cpss_{visit}"], "sex": row["sex"], "site": row["site"]}
        for row in table("s03_sim200")
        for visit in (0, 4, 8)
    ]  # fmt: skip


def made_rows(n: int = 48, seed: int = 2) -> list[dict[str, Any]]:
    """Return a made trial of three arms, with gaps."""
    rng = np.random.default_rng(seed)
    arms = ("CBT", "LSTM_ACM", "MCMG")
    rows = []
    for person in range(n):
        base = int(rng.integers(8, 19))
        for visit in (0, 4, 8):
            score = base - visit // 4 * (1 + person % 3) + int(rng.integers(-3, 4))
            is_missing = visit and rng.random() < 0.1
            rows.append(
                {"id": f"P{person:03}", "arm": arms[person % 3], "visit": visit,
                 "psqi": "" if is_missing else max(0, score), "sex": "FM"[person // 3 % 2]}
            )  # fmt: skip
    return rows


def analysed(rows: list[dict[str, Any]], **keys: Any) -> Results:
    plan = plan_of(changed(sensitivity={"strategies": [], "deltas": []}) | keys)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return analyse(plan, read_table(text.getvalue().splitlines(keepends=True), plan))


def found(results: Results, **wanted: Any) -> list[dict[str, Any]]:
    records = results.as_data()["estimates"]
    return [r for r in records if all(r[key] == value for key, value in wanted.items())]


def one(results: Results, **wanted: Any) -> dict[str, Any]:
    (record,) = found(results, **wanted)
    return record


@needs_references
@pytest.mark.parametrize("outcome", ["psqi", "cpss"])
def test_the_contrasts_of_the_reference_trial_are_those_of_r(outcome: str) -> None:
    ours = analysed(long_rows(), outcomes=OUTCOMES, strata=["site", "sex"])
    expected = results("s03_sim200")[outcome]
    theirs = expected["mmrm_REML"]["kenward_roger_linear"]["contrasts_vs_ref"]
    for row in theirs:
        record = one(
            ours, outcome=outcome, method="mmrm", visit={"1": 4, "2": 8}[row["vf"]],
            contrast=row["contrast"],
        )  # fmt: skip
        assert record["estimate"] == pytest.approx(row["estimate"], rel=1e-6)
        assert record["se"] == pytest.approx(row["SE"], rel=1e-6)
        assert record["df"] == pytest.approx(row["df"], rel=1e-5)
        assert record["p"] == pytest.approx(row["p.value"], rel=1e-5)
        assert record["n"] == expected["mmrm_REML"]["n_subjects"]
    for row, p_holm in zip(
        expected["ancova_8"]["contrasts_vs_ref"], expected["ancova_8"]["p_adjust_vs_ref"]["holm"],
        strict=True,
    ):  # fmt: skip
        record = one(ours, outcome=outcome, method="ancova", visit=8, contrast=row["contrast"])
        assert record["se"] == pytest.approx(row["SE"], rel=1e-9)
        assert record["p_adjusted"] == pytest.approx(p_holm, rel=1e-9)
    (fit,) = (
        fit for fit in ours.as_data()["fits"]
        if (fit["outcome"], fit["method"]) == (outcome, "mmrm")
    )  # fmt: skip
    assert fit["log_likelihood"] == pytest.approx(expected["mmrm_REML"]["logLik"], abs=1e-7)
    np.testing.assert_allclose(fit["covariance"], expected["mmrm_REML"]["Sigma"], rtol=1e-6)


def test_the_same_table_in_another_order_gives_the_same_bytes() -> None:
    rows = made_rows()
    first = to_json(analysed(rows).as_data())
    assert to_json(analysed(rows).as_data()) == first
    shuffled = [rows[place] for place in np.random.default_rng(4).permutation(len(rows))]
    assert to_json(analysed(shuffled).as_data()) == first


def test_every_record_has_its_number_or_its_reason_and_one_place() -> None:
    estimates = analysed(made_rows()).as_data()["estimates"]
    places = [(r["outcome"], r["method"], r["visit"], r["contrast"], r["arm"]) for r in estimates]
    assert len(set(places)) == len(places)
    for record in estimates:
        assert (record["estimate"] is None) == (record["status"] != "ok")
        assert record["estimate"] is not None or record["warnings"]
        assert record["sign"]


def test_p_below_five_per_cent_exactly_where_the_interval_excludes_nought() -> None:
    for record in analysed(made_rows()).as_data()["estimates"]:
        if record["method"] in ("mmrm", "ancova", "ancova_hc3") and record["contrast"]:
            excludes = record["ci_low"] > 0 or record["ci_high"] < 0
            assert excludes == (record["p"] < 0.05)


def test_an_empty_cell_of_arm_and_visit_is_labelled_and_the_rest_estimated() -> None:
    rows = made_rows()
    for row in rows:
        if (row["arm"], row["visit"]) == ("MCMG", 8):
            row["psqi"] = ""
    ours = analysed(rows)
    for method in ("mmrm", "ancova"):
        empty = one(ours, method=method, visit=8, contrast="MCMG - CBT")
        assert (empty["estimate"], empty["status"]) == (None, "not_estimable")
        assert "MCMG" in empty["warnings"][0]
        assert one(ours, method=method, visit=8, contrast="LSTM_ACM - CBT")["status"] == "ok"
    assert one(ours, method="mmrm", visit=4, contrast="MCMG - CBT")["status"] == "ok"


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda row: row | {"psqi": 7}, "not_estimable"),
        (lambda row: row | {"psqi": ""}, "too_few_observations"),
        (lambda row: row if row["visit"] == 0 else row | {"psqi": ""}, "too_few_observations"),
        (lambda row: row if row["visit"] else row | {"psqi": ""}, "too_few_observations"),
    ],
    ids=["constant", "all missing", "no follow-up", "no baseline"],
)
def test_outcomes_that_say_nothing_leave_labels_not_numbers(spoil: Any, status: str) -> None:
    ours = analysed([spoil(row) for row in made_rows()])
    for record in found(ours, method="mmrm"):
        assert (record["estimate"], record["status"]) == (None, status)
        assert record["warnings"]
        is_primary = record["family"] == "versus_reference" and record["visit"] == 8
        assert (record["role"] == "primary") == is_primary
    to_json(ours.as_data())


def test_two_people_are_too_few_for_a_model_and_are_told_so() -> None:
    ours = analysed(made_rows(n=2))
    assert {record["status"] for record in found(ours, method="mmrm")} <= {
        "too_few_observations", "not_estimable",
    }  # fmt: skip
    assert one(ours, method="change", visit=8, arm="CBT")["warnings"]


def test_a_stratum_that_is_the_arm_makes_contrasts_not_estimable() -> None:
    rows = [row | {"sex": row["arm"]} for row in made_rows()]
    record = one(analysed(rows), method="mmrm", visit=8, contrast="LSTM_ACM - CBT")
    assert record["status"] == "not_estimable"
    assert "do not determine" in record["warnings"][0]


def test_dunnett_adjusts_against_the_reference_and_holm_among_the_others() -> None:
    primary = {"outcome": "psqi", "visit": 8, "adjust": "dunnett"}
    ours = analysed(made_rows(), primary=primary)
    against = found(ours, method="mmrm", visit=8, family="versus_reference")
    assert {record["adjust"] for record in against} == {"dunnett"}
    assert all(record["p"] <= record["p_adjusted"] <= 2 * record["p"] for record in against)
    among = one(ours, method="mmrm", visit=8, family="among_others")
    assert among["adjust"] == "holm"


def test_a_hierarchy_holds_back_what_comes_later() -> None:
    rows = [row | {"cpss": row["psqi"]} for row in made_rows()]
    ours = analysed(
        rows, outcomes={"psqi": {}, "cpss": {}}, hierarchy=["psqi", "cpss"],
        primary={"outcome": "psqi", "visit": 8},
    )  # fmt: skip
    first, second = (
        [r["p_adjusted"] for r in found(
            ours, outcome=name, method="mmrm", visit=8, family="versus_reference")]
        for name in ("psqi", "cpss")
    )  # fmt: skip
    assert second == [max(first)] * len(second)


def test_constrained_baselines_keep_people_without_follow_up() -> None:
    rows = made_rows()
    for row in rows:
        if row["id"] == "P001" and row["visit"]:
            row["psqi"] = ""
    ours = analysed(rows, primary={"outcome": "psqi", "visit": 8, "method": "clda"})
    n = {method: one(ours, method=method, visit=8, contrast="MCMG - CBT")["n"]
         for method in ("mmrm", "clda")}  # fmt: skip
    assert n["clda"] == n["mmrm"] + 1 == 48
    assert one(ours, method="clda", visit=8, contrast="MCMG - CBT")["role"] == "primary"


def test_a_margin_adds_non_inferiority_and_equivalence() -> None:
    ours = analysed(made_rows(), outcomes={"psqi": {"margin": 1.5}})
    contrast, new, alike = (
        one(ours, method=method, visit=8, contrast="LSTM_ACM - CBT")
        for method in ("mmrm", "non_inferiority", "equivalence")
    )
    assert new["estimate"] == alike["estimate"] == contrast["estimate"]
    assert new["ci_high"] == pytest.approx(contrast["ci_high"])
    assert alike["ci_high"] < new["ci_high"]


def test_arms_keep_the_order_of_the_plan() -> None:
    ours = analysed(made_rows(), arms=["MCMG", "CBT", "LSTM_ACM"])
    labels = [r["contrast"] for r in found(ours, method="mmrm", visit=8) if r["contrast"]]
    assert labels == ["MCMG - CBT", "LSTM_ACM - CBT", "MCMG - LSTM_ACM"]
    pairs = itertools.combinations(["CBT", "MCMG", "LSTM_ACM"], 2)
    assert len(list(pairs)) == len(labels)


def test_table_one_describes_who_was_randomised_without_a_test() -> None:
    rows = analysed(made_rows()).as_data()["baseline_table"]
    assert [row["name"] for row in rows] == ["sex", "psqi at baseline"]
    assert rows[0]["arms"]["CBT"] == {"F": 8, "M": 8}
    assert rows[1]["arms"]["MCMG"]["n"] == 16
    assert set(rows[1]["differences"]) == {"CBT - LSTM_ACM", "CBT - MCMG", "LSTM_ACM - MCMG"}
    assert not any(key.startswith("p") for row in rows for key in row)


def test_people_without_a_stratum_or_covariate_are_counted() -> None:
    rows = [row | {"age": "" if row["id"] == "P003" else 15 + len(row["id"])}
            for row in made_rows()]  # fmt: skip
    ours = analysed(rows, covariates=["age"])
    assert "psqi: 1 participants lack age and are in no model" in ours.warnings
    assert one(ours, method="mmrm", visit=8, contrast="MCMG - CBT")["n"] == 47
