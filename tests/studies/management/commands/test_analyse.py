import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.studies.stats.analysis.test_running import made_rows
from tests.studies.stats.plan.test_reading import SMALLEST


def written(folder: Path, rows: list[dict[str, Any]], plan: Any = SMALLEST) -> list[str]:
    with (folder / "trial.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (folder / "plan.json").write_text(plan if isinstance(plan, str) else json.dumps(plan))
    return [str(folder / "trial.csv"), "--plan", str(folder / "plan.json")]


def test_a_table_and_a_plan_give_results_that_two_runs_agree_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = written(tmp_path, made_rows())
    for name in ("first", "second"):
        call_command("analyse", *given, "--out", str(tmp_path / name))
    first, second = (tmp_path / name / "results.json" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    data = json.loads(first.read_text())
    primary = [e for e in data["estimates"] if e["role"] == "primary" and e["contrast"]]
    assert [e["contrast"] for e in primary] == ["LSTM_ACM - CBT", "MCMG - CBT"]
    wanted = {"outcome", "method", "visit", "contrast", "estimate", "se", "df", "ci_low", "ci_high",
              "p", "p_adjusted", "n"}  # fmt: skip
    assert all(wanted <= set(record) for record in data["estimates"])
    run = json.loads((tmp_path / "first" / "run.json").read_text())
    assert run["data_hash"] == data["data_hash"]
    assert "numpy" in run["versions"]
    assert "psqi, visit 8, LSTM_ACM - CBT: " in capsys.readouterr().out


def test_refusals_name_their_kind_and_leave_nothing_behind(tmp_path: Path) -> None:
    rows = made_rows()
    rows[5]["psqi"] = "=HYPERLINK(1)"
    given = written(tmp_path, rows)
    with pytest.raises(CommandError, match=r"TableError \[formula_in_cell\].*line 7"):
        call_command("analyse", *given, "--out", str(tmp_path / "out"))
    given = written(tmp_path, made_rows(), plan={**SMALLEST, "visits": []})
    with pytest.raises(CommandError, match=r"PlanError \[plan\]"):
        call_command("analyse", *given, "--out", str(tmp_path / "out"))
    given = written(tmp_path, made_rows(), plan="{")
    with pytest.raises(CommandError, match="a plan in JSON"):
        call_command("analyse", *given, "--out", str(tmp_path / "out"))
    given = written(tmp_path, made_rows())
    (tmp_path / "trial.csv").write_bytes(b"id,arm\xff\n")
    with pytest.raises(CommandError, match="UTF-8"):
        call_command("analyse", *given, "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
