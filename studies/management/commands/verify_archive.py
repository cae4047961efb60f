"""Check the archive of a study."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from studies.design.archive_check import faults_of


class Command(BaseCommand):
    """The check that every archive holds a copy of, as a command."""

    help = "Check the files and the audit chain of an archive; exit status 1 when one is not whole."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("archive", type=Path, help="what manage.py archive_study wrote")

    def handle(self, *, archive: Path, **_options: object) -> None:
        """Say what is wrong, or that nothing is."""
        faults = faults_of(archive)
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"{archive.name} has {len(faults)} faults. Do not rely on it.")
        self.stdout.write("The archive holds.")
