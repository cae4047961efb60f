"""`manage.py redcap_dictionary psqi --language en OUT.csv`: an instrument as a data dictionary."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from questionnaires.instruments.errors import InstrumentError
from questionnaires.instruments.redcap import export_dictionary
from questionnaires.management.languages import site_language
from questionnaires.selectors import definition_named, wording_of


class Command(BaseCommand):
    """Write an instrument as a REDCap data dictionary."""

    help = "Write an instrument as a REDCap data dictionary of one form (CSV, 18 columns)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("instrument")
        parser.add_argument("target", type=Path, metavar="OUT.csv")
        parser.add_argument("--language", default="en", help="of the labels, such as zh-hans")
        parser.add_argument("--prefix", default="", help="before every variable, such as psqi_")

    def handle(self, **options: object) -> None:
        """Write the file; labels of ours say so."""
        target, language = options["target"], site_language(options["language"])
        try:
            instrument = definition_named(options["instrument"])
            wording = wording_of(instrument.key, language)
            text = export_dictionary(instrument, wording, prefix=options["prefix"])
            target.write_text(text, "utf-8")
        except InstrumentError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"expected a file that can be written, got {error}.") from error
        if wording.functional:
            self.stderr.write("These are functional labels of ours, not the published instrument.")
        self.stdout.write(f"{target}: {len(instrument.items)} fields of {instrument.key}")
