"""The analysis in an export: plan, table, results and report of the newest run, and the R script.

The files are those that the worker wrote, byte for byte; before the first run there is the plan
alone. A run carried out with arms is never in the export of a blinded study.
"""

from pathlib import Path

from studies.design.bundle import Bundle
from studies.models.analysis import AnalysisRun
from studies.models.study import Study
from studies.services.planning.plans import chosen_content, deviations, locked_plan, read_plan
from studies.services.results.runs import (
    FIGURES,
    HARMS,
    PLAN,
    RESULTS,
    RUN,
    TABLE,
    files_of,
    newest_done,
)
from studies.stats.analysis.records import to_json

FOLDER = "analysis"
FILES = (TABLE, PLAN, RESULTS, RUN)
# Runs of earlier releases have no table of harms.
MORE = (HARMS, "report.*")
SCRIPT = "reproduce.R"
SCRIPT_PATH = Path(__file__).parents[2] / "interop" / SCRIPT


def write_analysis(bundle: Bundle, study: Study) -> AnalysisRun | None:
    """Write the files of the newest analysis; return its run, if there is one to show."""
    run = newest_run(study)
    if run is None:
        bundle.text(f"{FOLDER}/{PLAN}", to_json(read_plan(chosen_content(study)).as_data()))
        return None
    folder = files_of(run)
    drawn = sorted((folder / FIGURES).glob("*/*"))
    more = (path for names in MORE for path in sorted(folder.glob(names)))
    for path in [*(folder / name for name in FILES), *more, *drawn]:
        with path.open("rb") as file:
            bundle.copy(f"{FOLDER}/{path.relative_to(folder).as_posix()}", file)
    bundle.text(f"{FOLDER}/{SCRIPT}", SCRIPT_PATH.read_text("utf-8"))
    return run


def newest_run(study: Study) -> AnalysisRun | None:
    """Return the newest finished run whose files are there, and that may be shown now."""
    run = newest_done(study)
    if run is None or (study.is_blinded and not run.is_blinded):
        return None
    return run if all((files_of(run) / name).is_file() for name in FILES) else None


def about_analysis(study: Study, run: AnalysisRun | None) -> str:
    """Return what the README says of the analysis."""
    plan = run.plan if run else locked_plan(study)
    state = f"version {plan.number}, SHA-256 {plan.sha256}" if plan else "a proposal, not locked"
    if run is None:
        return f"Analysis: none has been carried out yet. Plan: {state}."
    arms = "with the arms together" if run.is_blinded else "by arm"
    departed = f" {len(deviations(plan))} parts depart from the plan locked before unblinding."
    return (
        f"Analysis: of the data of {run.cut_at:%Y-%m-%d %H:%M:%S} UTC, {arms}. Plan: {state}."
        f"{departed if deviations(plan) else ''}"
    )
