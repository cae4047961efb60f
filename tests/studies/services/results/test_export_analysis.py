import csv
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from studies.models.jobs import RunState
from studies.models.study import Study
from studies.services.results.analysing import run_next
from studies.services.results.export_analysis import newest_run
from studies.services.results.runs import files_of, request_analysis
from studies.services.trail.audit import SYSTEM
from tests.studies.services.results.exported import (
    study_to_export,
    unblinded,
    unpacked,
    with_both_kinds,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("broker_is_down")]
ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC")


def _analysed(study: Study) -> Study:
    run = run_next(request_analysis(study=study, actor=SYSTEM).pk)
    assert run.state == RunState.DONE, run.message
    return study


def test_before_any_analysis_there_is_the_plan_alone(tmp_path: Path) -> None:
    folder = unpacked(study_to_export(n_complete=1), tmp_path)
    assert [path.name for path in (folder / "analysis").iterdir()] == ["plan.json"]
    plan = json.loads((folder / "analysis" / "plan.json").read_text("utf-8"))
    assert plan["primary"]["outcome"] == "psqi"
    assert "none has been carried out yet" in (folder / "README.txt").read_text("utf-8")


def test_the_newest_analysis_is_exported_byte_for_byte_and_tells_no_arm(tmp_path: Path) -> None:
    study = _analysed(study_to_export(n_complete=2))
    folder = unpacked(study, tmp_path)
    found = [path for path in (folder / "analysis").rglob("*") if path.is_file()]
    names = {path.relative_to(folder / "analysis").as_posix() for path in found}
    assert names >= {"plan.json", "trial.csv", "results.json", "run.json", "reproduce.R"}
    assert names >= {"report.en.html", "report.en.pdf", "figures/en/flow.svg"}
    assert names >= {"figures/en/flow.png", "figures/zh_hans/flow.svg"}
    kept = files_of(newest_run(study))
    for name in names - {"reproduce.R"}:
        assert (folder / "analysis" / name).read_bytes() == (kept / name).read_bytes()
    assert "with the arms together" in (folder / "README.txt").read_text("utf-8")
    assert json.loads((kept / "results.json").read_text("utf-8"))["is_blinded"] is True
    header, *rows = (kept / "trial.csv").read_text("utf-8").splitlines()
    assert header.split(",")[:3] == ["participant", "arm", "week"]
    assert {row.split(",")[1] for row in rows} == {"all"}


def test_the_exported_table_and_plan_give_the_exported_results_again(tmp_path: Path) -> None:
    study = _analysed(unblinded(with_both_kinds(study_to_export(n_complete=5))))
    folder = unpacked(study, tmp_path) / "analysis"
    call_command("analyse", folder / "trial.csv", plan=folder / "plan.json", out=tmp_path / "again")
    first, again = (
        json.loads((place / "results.json").read_text("utf-8"))
        for place in (folder, tmp_path / "again")
    )
    assert first["is_blinded"] is False
    assert first["estimates"] == again["estimates"]
    assert first["data_hash"] == again["data_hash"]
    _require_what_the_r_script_names(folder, first)


def _require_what_the_r_script_names(folder: Path, results: dict) -> None:
    """The plan's columns are in the table, and labels in the results are levels of the table."""
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    with (folder / "trial.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = {*plan["columns"].values(), *plan["strata"], *plan["covariates"]}
    named |= {about.get("column") or name for name, about in plan["outcomes"].items()}
    assert named <= rows[0].keys()
    arms = {row[plan["columns"]["arm"]] for row in rows}
    assert arms <= set(ARMS)
    # Chance may leave an arm out of five people: then it is told of as not estimable.
    told = [one for one in results["estimates"] if one["estimate"] is not None]
    pairs = [one["contrast"].split(" - ") for one in told if one["contrast"]]
    assert {arm for pair in pairs for arm in pair} <= arms
    assert {one["arm"] for one in told if one["arm"]} <= arms | {"all"}
    visits = {float(row[plan["columns"]["visit"]]) for row in rows}
    assert visits == {float(visit) for visit in (plan["baseline_visit"], *plan["visits"])}
    assert {one["method"] for one in results["fits"]} <= {"mmrm", "clda"}


def test_the_command_analyses_and_exports_in_one_go(tmp_path: Path) -> None:
    study = study_to_export(n_complete=1)
    call_command("export_study", study.code, out=tmp_path / "study.zip", analyse=True)
    assert newest_run(study).state == RunState.DONE
    request_analysis(study=study, actor=SYSTEM)
    with pytest.raises(CommandError, match="no analysis under way"):
        call_command("export_study", study.code, out=tmp_path / "study.zip", analyse=True)
