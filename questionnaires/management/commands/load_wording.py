"""`manage.py load_wording psqi --language zh-hans psqi.toml --licence "..."`: a site's own text."""

from getpass import getuser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from questionnaires.exceptions import ResponseError
from questionnaires.instruments import ALIASES, CATALOGUE
from questionnaires.instruments.errors import InstrumentError
from questionnaires.instruments.instrument import Instrument
from questionnaires.instruments.site_wording import skeleton
from questionnaires.management.languages import site_language
from questionnaires.selectors import definition_named
from questionnaires.services.wording import load_wording


class Command(BaseCommand):
    """Load the text that a site is licensed to show, or print an empty file for it."""

    help = "Load a site's licensed wording of an instrument; --template writes a file to fill in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("instrument", help=f"one of {', '.join([*CATALOGUE, *ALIASES])}")
        parser.add_argument("file", type=Path, help="the words, as TOML or JSON")
        parser.add_argument("--language", default="en", help="language tag, such as zh-hans")
        parser.add_argument("--licence", default="", help="on what ground you may use the text")
        parser.add_argument(
            "--replace", action="store_true", help="although people have answered to other words"
        )
        parser.add_argument(
            "--template", action="store_true", help="write FILE, to be filled in, instead"
        )

    def handle(self, **options: object) -> None:
        """Load the words and say their hash, or write the template."""
        try:
            instrument = definition_named(options["instrument"])
            language = site_language(options["language"])
            if options["template"]:
                self._write_template(options["file"], skeleton(instrument, language))
            else:
                self._load(instrument, language, options)
        except (InstrumentError, ResponseError) as error:
            raise CommandError(str(error)) from error

    def _write_template(self, file: Path, text: str) -> None:
        try:
            with file.open("x", encoding="utf-8") as template:
                template.write(text)
        except OSError as error:
            raise CommandError(f"expected a new file to write to, got {error}.") from error
        self.stdout.write(f"{file}: fill it in, then load it with --licence")

    def _load(self, instrument: Instrument, language: str, options: dict[str, object]) -> None:
        row, is_new = load_wording(
            instrument=instrument,
            language=language,
            file=options["file"],
            licence=options["licence"],
            by=getuser(),
            at=now(),
            replace=options["replace"],
        )
        done = "loaded" if is_new else "in force already"
        self.stdout.write(f"{instrument.key} {row.version} in {language}: {done}, {row.sha256}")
