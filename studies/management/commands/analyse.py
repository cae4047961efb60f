"""Analyse any long table of a trial by a plan, without the platform's database."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.stats.analysis.pooled import describe_together
from studies.stats.analysis.records import to_json
from studies.stats.analysis.running import Results, analyse
from studies.stats.errors import StatisticsError
from studies.stats.plan.plan import AnalysisPlan
from studies.stats.plan.reading import plan_of
from studies.stats.plan.trial_table import read_table
from studies.stats.report.composing import About, compose
from studies.stats.report.page import to_html
from studies.stats.report.paper import to_pdf
from studies.stats.report.picture import pictures
from studies.stats.report.wording import LANGUAGES, words_in


class Command(BaseCommand):
    """Writes results.json (numbers), run.json (time and versions) and a report into a directory."""

    help = "Analyse a long CSV table of a trial by an analysis plan (docs/statistics.md)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("table", type=Path, help="CSV, one row a participant and visit")
        parser.add_argument("--plan", type=Path, required=True, help="the analysis plan, JSON")
        parser.add_argument("--out", type=Path, required=True, help="directory for the results")
        parser.add_argument(
            "--report", choices=LANGUAGES, nargs="*", default=[],
            help="also write a report (HTML and PDF) in these languages",
        )  # fmt: skip
        parser.add_argument(
            "--figures", action="store_true",
            help="also write every figure of these reports as SVG and PNG",
        )  # fmt: skip
        parser.add_argument(
            "--together", action="store_true", help="describe everybody as one pool: a blinded look"
        )

    def handle(
        self, *, table: Path, plan: Path, out: Path, report: list[str], figures: bool,
        together: bool, **_options: object,
    ) -> None:  # fmt: skip
        """Read, analyse, write, and print what decides."""
        began = datetime.now(UTC)
        try:
            decided = plan_of(_json(plan))
            with table.open(encoding="utf-8", newline="") as file:
                found = read_table(file, decided, together=together)
            results = (describe_together if together else analyse)(decided, found)
        except StatisticsError as error:
            raise CommandError(f"{type(error).__name__} [{error.code}]: {error}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"A readable UTF-8 table was expected, got: {error}") from error
        out.mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(to_json(results.as_data()), encoding="utf-8")
        (out / "run.json").write_text(to_json(_run(decided, results, began)), encoding="utf-8")
        for language in report:
            about = About(table.stem, is_blinded=together)
            _write_report(results, about, out, language, figures=figures)
        self._print(results, out)

    def _print(self, results: Results, out: Path) -> None:
        for warning in results.warnings:
            self.stdout.write(f"note: {warning}")
        for record in results.primary():
            if record.place.contrast is None:
                continue
            found = record.estimate
            where = f"{record.place.outcome}, visit {record.place.visit}, {record.place.contrast}"
            if found.value is None:
                self.stdout.write(f"{where}: not estimable ({record.status}): {found.warnings[-1]}")
                continue
            self.stdout.write(
                f"{where}: {found.value:.3f} ({found.ci_low:.3f} to {found.ci_high:.3f}), "
                f"p {found.p:.4f}, adjusted {_shown(found.p_adjusted)}"
            )
        self.stdout.write(f"{len(results.records)} estimates in {out / 'results.json'}")


def _write_report(
    results: Results, about: About, out: Path, language: str, *, figures: bool
) -> None:
    words = words_in(language)
    found = compose(results, about, words)
    (out / f"report.{language}.html").write_text(to_html(found, words), encoding="utf-8")
    (out / f"report.{language}.pdf").write_bytes(to_pdf(found, words))
    for name, content in pictures(found) if figures else ():
        path = out / "figures" / language / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(
            f"PlanError [plan]: a plan in JSON was expected, got: {error}"
        ) from error


def _shown(p: float | None) -> str:
    return "none" if p is None else f"{p:.4f}"


def _run(plan: AnalysisPlan, results: Results, began: datetime) -> dict[str, Any]:
    ended = datetime.now(UTC)
    return {
        "began_at": began.isoformat(),
        "ended_at": ended.isoformat(),
        "duration_s": (ended - began).total_seconds(),
        "plan_hash": plan.digest,
        "data_hash": results.table.digest,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }
