"""Time the mixed model: fit, Kenward-Roger and every contrast; beside statsmodels in the same run.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/statistics.py [--quick] [--json FILE]

Four arms, a baseline and three visits, a stratum, dropout; CPU seconds of one thread, the best of
several. Each size runs in a process of its own, whose peak memory is given, libraries and all.
The peer is MixedLM with a random effect of each visit, the nearest that statsmodels has to an
unstructured covariance; it knows no small-sample degrees of freedom, so it does less.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

# The folder of this file would hide the standard library's module of the same name.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import pandas as pd
import scipy
import statsmodels
from statsmodels.regression.mixed_linear_model import MixedLM

from studies.stats.analysis.running import analyse
from studies.stats.design.rerandomisation import draw_allocations, randomisation_test
from studies.stats.design.simulation import Scenario, simulate_power
from studies.stats.missing.reference_based import impute_by_reference
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import read_table
from studies.stats.regression.mmrm import fit_mmrm
from studies.stats.regression.patterns import gram_of
from studies.stats.regression.small_sample import Inference
from studies.stats.regression.terms import OWN, Covariate, Design, Factor, Intercept, Term
from studies.stats.report.composing import About, compose
from studies.stats.report.page import to_html
from studies.stats.report.paper import to_pdf
from studies.stats.report.wording import words_in

SEED = 20260401
ARMS = ("CBT", "LSTM_ACM", "MCMG", "GAMC")
SIZES = (200, 2_000, 20_000, 100_000, 1_000_000)
PEER_SIZES = (200, 2_000)
PLAN: dict[str, Any] = {
    "columns": {"id": "id", "arm": "arm", "visit": "visit"}, "reference_arm": "CBT",
    "visits": [4, 8, 12], "strata": ["sex"],
    "outcomes": {"psqi": {"responder": {"change_at_least": 3}}, "cpss": {}},
    "primary": {"outcome": "psqi", "visit": 8},
}  # fmt: skip
TARGETS = {
    "n=200": 0.010, "n=20000": 0.030, "n=100000": 0.1, "n=1000000": 0.6,
    "1,000 simulated trials": 8.0, "jackknife of J2R, CR, CIR, n=200": 2.0,
    "10,000 draws of the allocation, n=200": 1.0, "report, n=200": 3.0,
}  # fmt: skip


def main() -> None:
    """Print the table of figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the peer at 2,000")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        raise SystemExit("One thread was expected. Set OMP_NUM_THREADS=1.")
    if options.size:
        sys.stdout.write(json.dumps(timed_fit(options.size)))
        return
    rows = [_in_a_process(size) for size in SIZES]
    rows += [timed_peer(size) for size in (PEER_SIZES[:1] if options.quick else PEER_SIZES)]
    rows += timed_campaigns()
    sys.stdout.write(_table(rows))
    if options.json:
        facts = {"seed": SEED, "python": platform.python_version(), "numpy": np.__version__}
        facts |= {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__}
        facts |= {"machine": platform.machine(), "results": rows}
        options.json.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def timed_fit(n: int) -> dict[str, Any]:
    """Return CPU seconds of Gram matrices, fit, Kenward-Roger and nine contrasts, and memory."""
    arms, base, sex, outcomes = trial(n)
    seconds = best(lambda: analysed(arms, base, sex, outcomes), 15 if n < 50_000 else 3)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"what": f"n={n}", "seconds": seconds, "memory_mb": peak_mb}


def analysed(
    arms: np.ndarray, base: np.ndarray, sex: np.ndarray, outcomes: np.ndarray
) -> list[tuple[float, float]]:
    """Return every contrast with its p value."""
    terms = [
        Term(Intercept(len(arms)), OWN), Term(Covariate("baseline", base), OWN),
        Term(Factor("sex", sex, ("F", "M"))), Term(Factor("arm", arms, ARMS), OWN),
    ]  # fmt: skip
    design = Design(terms, ("4", "8", "12"))
    inference = Inference(fit_mmrm(gram_of(design, outcomes), design))
    found = []
    for visit in range(3):
        zero = design.row(visit, {"arm": "CBT"})
        for arm in ARMS[1:]:
            estimate = inference.estimate(design.row(visit, {"arm": arm}) - zero, arm, sign="")
            found.append((estimate.value, estimate.p))
    return found


def timed_peer(n: int) -> dict[str, Any]:
    """Return the CPU seconds of one fit by statsmodels, and how many times ours that is."""
    arms, base, sex, outcomes = trial(n)
    wide = pd.DataFrame({"arm": np.array(ARMS)[arms], "base": base, "sex": sex})
    parts = [wide.assign(id=range(n), visit=visit, y=outcomes[:, visit]) for visit in range(3)]
    long = pd.concat(parts).dropna().sort_values(["id", "visit"])
    began = process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM.from_formula(
            "y ~ C(visit) * base + C(sex) + C(visit) * C(arm)", long, groups="id",
            re_formula="0 + C(visit)",
        )  # fmt: skip
        model.fit(reml=True)
    seconds = process_time() - began
    ours = best(lambda: analysed(arms, base, sex, outcomes), 15)
    return {"what": f"statsmodels, n={n}", "seconds": seconds, "times_ours": seconds / ours}


def timed_campaigns() -> list[dict[str, Any]]:
    """Return the CPU seconds of what repeats an analysis many times."""
    scenario = Scenario(50, {"a": 2.0, "b": 1.0, "c": 0.0}, 3.5, 0.55, 2, 0.15)
    arms, base, sex, outcomes = trial(200)
    terms = [
        Term(Intercept(200), OWN), Term(Covariate("baseline", base), OWN),
        Term(Factor("arm", arms, ARMS), OWN),
    ]  # fmt: skip
    design = Design(terms, ("4", "8", "12"))
    w = np.column_stack([np.ones(200), base, sex])

    def randomised() -> None:
        draws = draw_allocations([str(s) for s in sex], dict.fromkeys(ARMS, 1), [8, 12], 10_000)
        randomisation_test(outcomes[:, 2], w, arms.astype(int), draws)

    campaigns: dict[str, Callable[[], Any]] = {
        "1,000 simulated trials": lambda: simulate_power(scenario, 1000),
        "jackknife of J2R, CR, CIR, n=200": lambda: impute_by_reference(design, outcomes),
        "10,000 draws of the allocation, n=200": randomised,
    }
    rows = [{"what": name, "seconds": best(run, 1)} for name, run in campaigns.items()]
    return [*rows, {"what": "report, n=200", "seconds": best(report_of(200), 3)}]


def report_of(n: int) -> Callable[[], Any]:
    """Return what analyses a table of two outcomes and sets its report as page and as paper."""
    arms, base, sex, outcomes = trial(n)
    rng = np.random.default_rng(SEED)
    lines = ["id,arm,visit,sex,psqi,cpss\n"]
    for person in range(n):
        scores = (base[person], *outcomes[person])
        for visit, score in zip((0, 4, 8, 12), scores, strict=True):
            cells = "," if np.isnan(score) else f"{score:.0f},{2 * score + rng.normal(0, 3):.0f}"
            lines.append(f"{person},{ARMS[arms[person]]},{visit},{'FM'[sex[person]]},{cells}\n")
    plan = plan_of(PLAN)
    words = words_in("en")

    def reported() -> None:
        report = compose(analyse(plan, read_table(lines, plan)), About("MADE"), words)
        to_html(report, words)
        to_pdf(report, words)

    return reported


def trial(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return arms, baseline, sex and follow-up scores of a made trial with dropout."""
    rng = np.random.default_rng(SEED)
    arms = (np.arange(n) % 4).astype(np.int8)
    sex = rng.integers(0, 2, n).astype(np.int8)
    person = rng.normal(0, 2.4, n)
    base = 12 + person + rng.normal(0, 2, n)
    outcomes = np.empty((n, 3))
    gone = np.zeros(n, dtype=bool)
    for visit in range(3):
        outcomes[:, visit] = 11.5 + person - 0.3 * arms * (visit + 1) + rng.normal(0, 2, n)
        gone |= rng.random(n) < 0.06
        outcomes[gone, visit] = np.nan
    return arms, base, sex, outcomes


def best(run: Callable[[], Any], repeats: int) -> float:
    """Return the least CPU seconds of several runs."""
    found = []
    for _ in range(repeats):
        began = process_time()
        run()
        found.append(process_time() - began)
    return min(found)


def _in_a_process(size: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--size", str(size)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603 - our own file


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'what':<40}{'CPU s':>10}{'target':>10}{'memory MB':>11}{'times ours':>12}\n"]
    for row in rows:
        target = TARGETS.get(row["what"])
        lines.append(
            f"{row['what']:<40}{row['seconds']:>10.4f}{_number(target, 'g'):>10}"
            f"{_number(row.get('memory_mb'), '.0f'):>11}"
            f"{_number(row.get('times_ours'), ',.0f'):>12}\n"
        )
    return "".join(lines)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


if __name__ == "__main__":
    main()
