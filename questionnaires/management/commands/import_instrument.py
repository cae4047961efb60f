"""`manage.py import_instrument isi isi.csv --scoring isi.toml`: any further scale by file."""

from getpass import getuser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from questionnaires.exceptions import ResponseError
from questionnaires.instruments.errors import InstrumentError
from questionnaires.management.languages import site_language
from questionnaires.services.importing import import_instrument


class Command(BaseCommand):
    """Import one form of a REDCap data dictionary as an instrument."""

    help = "Import a form of a REDCap data dictionary as an instrument, with its words."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("key", help="what the instrument will be called here, such as isi")
        parser.add_argument("dictionary", type=Path, help="the data dictionary, a CSV")
        parser.add_argument("--form", default="", help="which form, where there are several")
        parser.add_argument("--scoring", type=Path, help="a TOML file that declares the scores")
        parser.add_argument("--language", default="en", help="of the labels, such as zh-hans")
        parser.add_argument("--licence", default="", help="on what ground you may use the text")
        parser.add_argument(
            "--replace", action="store_true", help="although people have answered to other words"
        )

    def handle(self, **options: object) -> None:
        """Import it and say what was left out."""
        dictionary, scoring = options["dictionary"], options["scoring"]
        try:
            result = import_instrument(
                key=options["key"],
                dictionary=dictionary.read_bytes(),
                name=dictionary.name,
                language=site_language(options["language"]),
                licence=options["licence"],
                by=getuser(),
                at=now(),
                form=options["form"],
                scoring=scoring.read_bytes() if scoring else b"",
                replace=options["replace"],
            )
        except (InstrumentError, ResponseError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"expected files that can be read, got {error}.") from error
        for note in result.notes:
            self.stderr.write(note)
        done = "imported" if result.is_new else "imported already"
        row = result.instrument
        n_items = len(row.definition["items"])
        self.stdout.write(f"{row.key} {row.version}: {n_items} items {done}, {row.sha256}")
