"""`manage.py import_corpus DIR --name --style --licence --out DIR`: MIDI files into a corpus."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generator.engine.brief import Style
from generator.engine.errors import EngineError
from generator.engine.training.collecting import import_collection
from generator.management.outputs import output_folder

_EVERY = 50


class Command(BaseCommand):
    """Read a collection of MIDI files into a corpus that composers can be trained on."""

    help = "Read a collection of MIDI files into a corpus that composers can be trained on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the collection, where to write, and its provenance."""
        parser.add_argument("directory", type=Path, help="MAESTRO v3, Lakh, a manifest, a folder.")
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Where the corpus is written."
        )
        parser.add_argument("--name", required=True, help="How the collection is called.")
        parser.add_argument("--licence", required=True, help="As its publisher states it.")
        parser.add_argument(
            "--style",
            choices=[style.value for style in Style],
            default=Style.CLASSICAL.value,
            help="Of files whose collection names none.",
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Import, showing how far it is, then say what was left out and why."""
        directory: Path = options["directory"]
        if not directory.is_dir():
            raise CommandError(
                f"a folder of MIDI files was expected, got {directory}. Give the folder that the "
                "collection was unpacked to."
            )
        try:
            writer = import_collection(
                directory,
                options["out"],
                name=options["name"],
                style=Style(options["style"]),
                licence=options["licence"],
                progress=self._show,
            )
        except EngineError as error:
            raise CommandError(str(error)) from error
        for reason, count in sorted(writer.dropped.items()):
            self.stdout.write(f"Left out {count}: {reason}.")
        self.stdout.write(
            self.style.SUCCESS(
                f"{writer.n_pieces} pieces, {writer.n_events} notes written to {options['out']}; "
                "every file left out is listed in dropped.csv."
            )
        )

    def _show(self, done: int, of: int) -> None:
        if done % _EVERY == 0 or done == of:
            width = 30 * done // of
            bar = "#" * width + "." * (30 - width)
            self.stdout.write(f"\r[{bar}] {done} of {of} files", ending="\n" if done == of else "")
            self.stdout.flush()
