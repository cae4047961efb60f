"""Hold every allocation against the sequence that was committed to when its study opened."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.models.study import Study, StudyState
from studies.services.allocation import commitments_of, rederive


class Command(BaseCommand):
    """Derives each sequence again; says what disagrees, and never names an arm."""

    help = "Verify allocations against the published commitments; exit status 1 on disagreement."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", nargs="?", help="a study's code; every opened study without it")

    def handle(self, *, code: str | None, **_options: object) -> None:
        """Print one line a sequence, then every disagreement."""
        studies = Study.objects.exclude(state=StudyState.DRAFT).order_by("code")
        if code is not None:
            studies = studies.filter(code=code)
            if not studies.exists():
                raise CommandError(f"A study that was opened was expected, got {code!r}.")
        n_disagreeing = 0
        for study in studies:
            findings = rederive(study)
            n_disagreeing += bool(findings)
            verdict = "DISAGREES" if findings else "agrees"
            self.stdout.write(f"{study.code}: {verdict}")
            for label, commitment in commitments_of(study).items():
                self.stdout.write(f"  {label or 'the whole study'}: {commitment}")
            for finding in findings:
                self.stdout.write(f"  {finding}")
        if n_disagreeing:
            raise CommandError(f"{n_disagreeing} studies disagree. Keep the database as it is.")
