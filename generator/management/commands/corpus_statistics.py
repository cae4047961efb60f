"""`manage.py corpus_statistics DIR ...`: Li's Table 2 for imported corpora."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generator.engine.errors import EngineError
from generator.engine.training.corpus_table import corpus_table, facts_of_store


class Command(BaseCommand):
    """Print files, notes, duration, metre, tempo, pitch and instrumentation of corpora."""

    help = "Print files, notes, duration, metre, tempo, pitch and instrumentation of corpora."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folders that `import_corpus` wrote."""
        parser.add_argument("directories", type=Path, nargs="+")

    def handle(self, *_args: object, **options: object) -> None:
        """Print one table, a column a corpus."""
        directories: list[Path] = options["directories"]
        try:
            tables = [corpus_table(*facts_of_store(directory)) for directory in directories]
        except EngineError as error:
            raise CommandError(str(error)) from error
        names = [directory.name for directory in directories]
        self.stdout.write("| | " + " | ".join(names) + " |")
        self.stdout.write("|---" * (len(names) + 1) + "|")
        for row in tables[0]:
            cells = " | ".join(table[row] for table in tables)
            self.stdout.write(f"| {row} | {cells} |")
