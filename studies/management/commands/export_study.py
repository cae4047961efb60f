"""Export a study from the command line."""

import shutil
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.exceptions import RunRefused
from studies.models.jobs import RunState
from studies.models.study import Study
from studies.services.results.analysing import run_next
from studies.services.results.export import export_study
from studies.services.results.runs import request_analysis
from studies.services.trail.audit import SYSTEM


class Command(BaseCommand):
    """The same export as on the research page."""

    help = "Write a study's export (items, scores, results, dictionary, checksums) as a ZIP."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="the study's code")
        parser.add_argument("--out", type=Path, required=True, help="file to write")
        parser.add_argument(
            "--analyse", action="store_true", help="carry out the analysis first, here and now"
        )

    def handle(self, *, code: str, out: Path, analyse: bool, **_options: object) -> None:
        """Write the file, readable by its owner only."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("code", flat=True)) or "none yet"
            raise CommandError(f"The code of a study was expected ({known}), got {code!r}.")
        if analyse:
            self._analyse(study)
        try:
            out.touch(mode=0o600)
            with export_study(study=study, actor=SYSTEM).file as source, out.open("wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise CommandError(f"A file that can be written was expected, got {error}.") from error
        self.stdout.write(f"{out}: {out.stat().st_size} bytes")

    def _analyse(self, study: Study) -> None:
        try:
            asked = request_analysis(study=study, actor=SYSTEM)
        except RunRefused as error:
            raise CommandError(str(error)) from error
        run = run_next(asked.pk) or asked
        if run.state != RunState.DONE:
            raise CommandError(
                f"A finished analysis was expected, got one that is {run.state}. {run.message}"
            )
