"""`manage.py score psqi IN.csv OUT.csv`: score any table of answers."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from questionnaires.instruments import ALIASES, CATALOGUE
from questionnaires.instruments.errors import InstrumentError, UnknownInstrument
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.table import RefusedRow
from questionnaires.selectors import definition_named
from questionnaires.services.tables import ScoredTable, score_table_file

WRITTEN_WITH_COMPLAINTS = 3


class Command(BaseCommand):
    """Score a table and say what was refused."""

    # Nothing of the site is needed, so a site that is not set up can score.
    requires_system_checks = []
    help = (
        "Score a CSV of answers; its columns are the item keys. Exit status: 0 every row scored, "
        "1 nothing written, 3 written without the rows refused, or under a suspicion."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("instrument", help=f"one of {', '.join([*CATALOGUE, *ALIASES])}")
        parser.add_argument("source", type=Path, metavar="IN.csv")
        parser.add_argument("target", type=Path, metavar="OUT.csv")
        parser.add_argument("--rule", default="", help="scoring rule; the default one without it")
        parser.add_argument("--encoding", default="", help="of IN.csv; UTF-8 without it")
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="write nothing if any row is refused"
        )

    def handle(self, **options: object) -> None:
        """Write the scored table; one line on standard error for each row refused."""
        try:
            table = score_table_file(
                instrument=_instrument(options["instrument"]),
                source=options["source"],
                target=options["target"],
                rule_id=options["rule"],
                encoding=options["encoding"],
                all_or_nothing=options["all_or_nothing"],
                refuse=self._tell,
            )
        except InstrumentError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"expected files that can be read and written: {error}.") from error
        self._summarise(table, options["target"])

    def _tell(self, row: RefusedRow) -> None:
        self.stderr.write(f"line {row.line}: {' '.join(row.reasons)}")

    def _summarise(self, table: ScoredTable, target: Path) -> None:
        if table.suspicion:
            self.stderr.write(f"whole table: {table.suspicion}")
        if table.carried:
            self.stdout.write(f"carried along, not read: {', '.join(table.carried)}")
        if not table.is_written:
            raise CommandError(
                "expected a table without complaints, got those above "
                f"(rows refused: {table.n_refused}): nothing was written. "
                "Correct them, or leave out --all-or-nothing."
            )
        if not table.n_scored + table.n_refused:
            self.stderr.write(
                "expected rows below the header, got 0 rows: the header alone is written."
            )
        self.stdout.write(f"{target}: {table.n_scored} scored, {table.n_refused} refused")
        if table.n_refused or table.suspicion:
            raise CommandError(
                "expected a table without complaints, got those above. The other rows are written.",
                returncode=WRITTEN_WITH_COMPLAINTS,
            )


def _instrument(name: str) -> Instrument:
    try:
        return definition_named(name)
    except DatabaseError:
        # No site is set up here, so nothing was imported.
        raise UnknownInstrument(name, CATALOGUE) from None
