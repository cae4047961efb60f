"""The R script that computes the results again; run where R is, else held to the results' names."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from studies.stats.analysis.records import to_json
from studies.stats.analysis.running import analyse
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import read_table

SCRIPT = Path(__file__).parents[3] / "studies" / "interop" / "reproduce.R"
ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC")
PLAN = {
    "columns": {"id": "participant", "arm": "arm", "visit": "week"},
    "reference_arm": "CBT",
    "baseline_visit": 0,
    "visits": [4, 8],
    "outcomes": {"psqi": {"responder": {"any": [{"change_at_least": 3}, {"score_at_most": 5}]}}},
    "strata": ["sex"],
    "primary": {"outcome": "psqi", "visit": 8},
}


@pytest.fixture
def analysed(tmp_path: Path) -> Path:
    random = np.random.default_rng(20260302)
    with (tmp_path / "trial.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["participant", "arm", "week", "sex", "psqi"])
        for number in range(60):
            level = random.normal(12, 3)
            for week in (0, 4, 8):
                score = round(max(0.0, level - week / 4 + random.normal(0, 2)))
                is_missing = week and random.random() < 0.15
                row = [f"P{number}", ARMS[number % 4], week, "fm"[number % 8 > 3]]
                writer.writerow([*row, "" if is_missing else score])
    plan = plan_of(PLAN)
    with (tmp_path / "trial.csv").open(encoding="utf-8", newline="") as file:
        results = analyse(plan, read_table(file, plan))
    (tmp_path / "plan.json").write_text(to_json(plan.as_data()), "utf-8")
    (tmp_path / "results.json").write_text(to_json(results.as_data()), "utf-8")
    return tmp_path


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R is not installed here: the script is not run")
    return subprocess.run(
        [program, SCRIPT, folder], capture_output=True, text=True, check=False, timeout=120
    )


def test_r_gets_the_same_numbers(analysed: Path) -> None:
    done = _run(analysed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) numbers agree", done.stdout)[1]) > 300


def test_r_finds_a_number_that_is_not_so(analysed: Path) -> None:
    path = analysed / "results.json"
    results = json.loads(path.read_text("utf-8"))
    contrasts = [one for one in results["estimates"] if one["quantity"] == "contrast"]
    record = next(one for one in contrasts if one["method"] == "ancova")
    record["estimate"] += 1e-5
    path.write_text(json.dumps(results), "utf-8")
    done = _run(analysed)
    assert done.returncode == 1
    assert "ancova" in done.stdout


def test_every_method_that_the_script_names_is_one_of_the_results(analysed: Path) -> None:
    results = json.loads((analysed / "results.json").read_text("utf-8"))
    text = SCRIPT.read_text("utf-8")
    named = set(re.findall(r'keep(?:_mean|_contrasts)?\(outcome, "(\w+)"', text))
    named |= set(re.findall(r'list\("(ancova\w*)"', text))
    assert len(named) >= 9
    assert named <= {record["method"] for record in results["estimates"]}
    fields = set(re.findall(r"\b(estimate|se|df|ci_low|ci_high|p|p_adjusted|n|sd) =", text))
    assert fields <= results["estimates"][0].keys()


def test_every_part_of_the_plan_that_the_script_reads_is_in_it(analysed: Path) -> None:
    plan = json.loads((analysed / "plan.json").read_text("utf-8"))
    for name in set(re.findall(r"plan\$(\w+)", SCRIPT.read_text("utf-8"))):
        assert name in plan
