"""Print what each arm gives, in the twelve rows of the TIDieR template."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.models.study import Study
from studies.services.closing.describing import describe_arms


class Command(BaseCommand):
    """Markdown, one table for each arm; what only the team knows is left open and marked."""

    help = "Print a study's arms in the twelve rows of the TIDieR template, as Markdown."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("code", help="a study's code")

    def handle(self, *, code: str, **_options: object) -> None:
        """Print the sheets."""
        study = Study.objects.filter(code=code).first()
        if study is None:
            raise CommandError(f"A study was expected, got {code!r}.")
        self.stdout.write(describe_arms(study))
