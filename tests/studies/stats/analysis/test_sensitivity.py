import pytest

from tests.studies.stats.analysis.test_running import analysed, found, made_rows, one
from tests.studies.stats.reference_trials import table
from tests.studies.stats.references import needs_references, results

FULL = {"sensitivity": {"strategies": ["MAR", "J2R", "CR", "CIR"], "deltas": [0, 1, 2, 3]}}


@needs_references
def test_a_plan_reproduces_rbmi_from_the_long_table() -> None:
    rows = [
        {"id": row["id"], "arm": row["arm"], "visit": visit, "psqi": row[f"psqi_{visit}"]}
        for row in table("s09_refbased_sim120")
        for visit in (0, 4, 8)
    ]
    ours = analysed(rows, strata=[], **FULL)
    names = {"MAR": "MAR", "J2R": "JR", "CR": "CR", "CIR": "CIR", "MAR_delta_1": "MAR_delta1",
             "MAR_delta_2": "MAR_delta2", "MAR_delta_3": "MAR_delta3"}  # fmt: skip
    for method, theirs in names.items():
        for row in results("s09_refbased")["results"][theirs]:
            if not row["parameter"].startswith("trt_"):
                continue
            record = one(
                ours, method=method, visit=int(row["parameter"][5:]), contrast="LSTM_ACM - CBT"
            )
            assert record["estimate"] == pytest.approx(row["est"], abs=1e-5)
            assert record["se"] == pytest.approx(row["se"], rel=1e-5)


def test_every_sensitivity_analysis_is_there_and_labelled_as_one() -> None:
    rows = [row | {"nights": 0 if row["arm"] == "CBT" else 10 + int(row["id"][1:]) % 30}
            for row in made_rows()]  # fmt: skip
    scheme = {"ratios": {"CBT": 1, "LSTM_ACM": 1, "MCMG": 1}, "sizes": [6], "draws": 200}
    ours = analysed(rows, adherence="nights", randomisation=scheme, **FULL)
    records = found(ours, role="sensitivity", visit=8)
    methods = {record["method"] for record in records}
    assert {"J2R", "CR", "CIR", "MAR_delta_2", "tipping_point", "multiple_imputation", "cace",
            "dose_response", "rerandomisation"} <= methods  # fmt: skip
    assert one(ours, method="rerandomisation")["p"] >= 1 / 201
    primary = one(ours, method="mmrm", visit=8, contrast="MCMG - CBT")
    for method in ("MAR", "multiple_imputation"):
        record = one(ours, method=method, visit=8, contrast="MCMG - CBT")
        assert record["estimate"] == pytest.approx(primary["estimate"], abs=primary["se"])


def test_what_cannot_be_imputed_is_labelled() -> None:
    rows = made_rows()
    for row in rows:
        if (row["arm"], row["visit"]) == ("MCMG", 8):
            row["psqi"] = ""
    ours = analysed(rows, **FULL)
    for method in ("J2R", "multiple_imputation"):
        record = one(ours, method=method, visit=8, contrast="LSTM_ACM - CBT")
        assert record["estimate"] is None
        assert record["warnings"]


def test_a_scheme_without_an_arm_of_the_table_is_labelled() -> None:
    scheme = {"ratios": {"CBT": 1, "LSTM_ACM": 1}, "sizes": [4], "draws": 20}
    record = one(analysed(made_rows(), randomisation=scheme), method="rerandomisation")
    assert (record["estimate"], record["status"]) == (None, "not_estimable")
    assert "a ratio for each of CBT, LSTM_ACM, MCMG" in record["warnings"][0]
