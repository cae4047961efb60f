"""The R script that computes the results again; run where R is, else held to the results' names."""

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studies.selectors.harms import harms_csv
from studies.stats.analysis.harms import Event, Harms, harm_records
from studies.stats.analysis.records import to_json
from studies.stats.analysis.running import analyse
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import read_table

SCRIPT = Path(__file__).parents[3] / "studies" / "interop" / "reproduce.R"
ARMS = ("CBT", "LSTM-ACM", "MCMG", "GAMC")
RULE = {"any": [{"change_at_least": 3}, {"score_at_most": 5}]}
PLAN = {
    "columns": {"id": "participant", "arm": "arm", "visit": "week"},
    "reference_arm": "CBT",
    "baseline_visit": 0,
    "visits": [4, 8],
    "outcomes": {"psqi": {"responder": RULE, "margin": 2}, "cpss": {"direction": "higher"}},
    "strata": ["sex"],
    "covariates": ["age"],
    "primary": {"outcome": "psqi", "visit": 8, "adjust": "dunnett"},
    "hierarchy": ["psqi", "cpss"],
    "adherence": "minutes",
    "mediation": [{"outcome": "cpss", "visit": 4}],
    "exposure": ["tempo"],
    "reliability": {"cpss": ["item_1", "item_2", "item_3"]},
}
COLUMNS = ("participant", "arm", "week", "sex", "age", "minutes", "psqi", "cpss", "tempo", "item_1",
           "item_2", "item_3")  # fmt: skip


@pytest.fixture
def analysed(tmp_path: Path) -> Path:
    """A trial of 60 with missed visits, analysed by a plan that asks for all there is."""
    random = np.random.default_rng(20260302)
    with (tmp_path / "trial.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(60):
            about = ARMS[number % 4], "fm"[number % 8 > 3], 12 + number % 7, 300 * (number % 4)
            for row in _visits(f"P{number}", *about, random):
                writer.writerow(row)
    _analyse(tmp_path, PLAN)
    return tmp_path


def _analyse(tmp_path: Path, content: dict[str, object]) -> None:
    plan = plan_of(content)
    with (tmp_path / "trial.csv").open(encoding="utf-8", newline="") as file:
        results = analyse(plan, read_table(file, plan))
    harms = Harms((
        Event("P0", "mild", "none"), Event("P0", "severe", "possible", ("hospital", "important")),
        Event("P4", "mild", "related", is_expected=True), Event("P1", "mild", "none"),
        Event("P2", "moderate", "none", is_before=True),
    ))  # fmt: skip
    (tmp_path / "harms.csv").write_text(harms_csv(harms), "utf-8")
    counted = [r.as_data() for r in harm_records(plan, results.table, harms)]
    data = results.as_data() | {"harms": counted}
    (tmp_path / "results.json").write_text(to_json(data), "utf-8")


def _visits(
    code: str, arm: str, sex: str, age: int, minutes: int, random: np.random.Generator
) -> Iterator[list[object]]:
    level, tempo = random.normal([12, 60], [3, 5])
    for week in (0, 4, 8):
        items = random.normal(level / 4, 1, 3).round(2)
        psqi = round(max(0.0, level - week / 4 + random.normal(0, 2)))
        measured = (
            psqi,
            items.sum().round(2),
            "" if week == 0 else round(tempo + random.normal(), 2),
        )
        is_missed = week and random.random() < 0.15
        row = [code, arm, week, sex, age, minutes]
        yield row + ([""] * 6 if is_missed else [*measured, *items])


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
    assert int(re.search(r"(\d+) numbers agree", done.stdout)[1]) > 1_200
    assert "participants (4), " in re.search("Not computed again: .*", done.stdout)[0]


def test_r_follows_a_plan_without_strata_and_covariates(analysed: Path) -> None:
    asked = {key: PLAN[key] for key in ("columns", "reference_arm", "baseline_visit", "visits")}
    primary = {"outcome": "psqi", "visit": 8, "method": "ancova"}
    _analyse(analysed, asked | {"outcomes": {"psqi": {}}, "primary": primary})
    done = _run(analysed)
    assert done.returncode == 0, done.stdout + done.stderr


def test_r_finds_a_number_that_is_not_so_and_one_that_is_not_there(analysed: Path) -> None:
    path = analysed / "results.json"
    results = json.loads(path.read_text("utf-8"))
    contrasts = [one for one in results["estimates"] if one["quantity"] == "contrast"]
    next(one for one in contrasts if one["method"] == "ancova")["estimate"] += 1e-5
    next(one for one in results["estimates"] if one["method"] == "kruskal_wallis")["estimate"] = (
        None
    )
    path.write_text(json.dumps(results), "utf-8")
    done = _run(analysed)
    assert done.returncode == 1
    wrong = done.stdout.rpartition("agrees")[0]
    assert "|ancova|" in wrong
    assert "|kruskal_wallis|" in wrong


def test_every_method_that_the_script_names_is_one_of_the_results(analysed: Path) -> None:
    results = json.loads((analysed / "results.json").read_text("utf-8"))
    text = SCRIPT.read_text("utf-8")
    named = set(re.findall(r'keep(?:_mean)?\(outcome, "(\w+)"', text))
    named |= set(re.findall(r'list\("(ancova\w*)"', text)) | set(re.findall(r'tell\("(\w+)"', text))
    assert len(named) >= 20
    # A number needed to treat is there only where its interval leaves nought out.
    assert named <= {record["method"] for record in results["estimates"]}
    fields = set(re.findall(r"\b(estimate|se|df|ci_low|ci_high|p|p_adjusted|n|sd) =", text))
    assert fields <= results["estimates"][0].keys()


def test_every_part_of_the_plan_that_the_script_reads_is_in_the_results(analysed: Path) -> None:
    plan = json.loads((analysed / "results.json").read_text("utf-8"))["plan"]
    for name in set(re.findall(r"plan\$(\w+)", SCRIPT.read_text("utf-8"))):
        assert name in plan
