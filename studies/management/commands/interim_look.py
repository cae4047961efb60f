"""Freeze a closed report for a monitoring board, and write it to a file."""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.exceptions import StudyError
from studies.models.study import Study
from studies.services.closing.interim import take_look
from studies.services.trail.audit import SYSTEM


class Command(BaseCommand):
    """JSON by scrambled letters; for the board alone, because letters can be guessed."""

    help = "Freeze an interim look of a study by scrambled arms, and write it to a file as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="a study's code")
        parser.add_argument("--reason", required=True, help="which look the protocol plans")
        parser.add_argument("--out", type=Path, required=True, help="the file to write")

    def handle(self, *, code: str, reason: str, out: Path, **_options: object) -> None:
        """Write the report; print its hash and nothing of its content."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            raise CommandError(f"A study was expected, got {code!r}.")
        if out.exists():
            raise CommandError(f"A file that does not exist was expected, got {out}.")
        try:
            look = take_look(study=study, reason=reason, actor=SYSTEM)
        except StudyError as refusal:
            raise CommandError(str(refusal)) from refusal
        out.write_text(json.dumps(look.content, indent=1) + "\n", "utf-8")
        self.stdout.write(f"Look {look.number} of {code}: SHA-256 {look.sha256}")
