"""`manage.py picture_night night.mp3 --out DIR`: its spectrogram and loudness curve as PNG."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generator.engine.audio.pictures import loudness_curve, spectrogram, write_png
from generator.engine.errors import EngineError
from generator.management.outputs import output_folder


class Command(BaseCommand):
    """Draw a rendered night: what sounds when, and how loud."""

    help = "Draw a rendered night: its spectrogram and its loudness curve, as PNG files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the night and where its pictures go."""
        parser.add_argument("audio", type=Path)
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Directory for the pictures."
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Draw both pictures and name them."""
        audio, out = options["audio"], options["out"]
        try:
            out.mkdir(parents=True, exist_ok=True)
            for name, draw in (("spectrogram", spectrogram), ("loudness", loudness_curve)):
                path = out / f"{audio.stem}-{name}.png"
                write_png(draw(audio), path)
                self.stdout.write(f"{path}: {path.stat().st_size} bytes")
        except (EngineError, OSError) as error:
            raise CommandError(str(error)) from error
