"""Print the seeds of an unblinded study, so that anybody can derive its sequences again."""

import json

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.exceptions import SequenceSealed
from studies.models.study import Study
from studies.services.allocation import reveal_sequences
from studies.services.trail.audit import SYSTEM


class Command(BaseCommand):
    """JSON as docs/trial.md reads it; refused before the study is unblinded, and recorded."""

    help = "Print an unblinded study's allocation seeds as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="a study's code")

    def handle(self, *, code: str, **_options: object) -> None:
        """Print the seeds."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            raise CommandError(f"A study was expected, got {code!r}.")
        try:
            revealed = reveal_sequences(study=study, actor=SYSTEM)
        except SequenceSealed as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(revealed, indent=2, ensure_ascii=False))
