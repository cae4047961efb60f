"""`manage.py lighten_composer --held-out DIR --out DIR`: what int8 and pruning cost and save."""

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import EngineError
from generator.engine.metrics.calm import CalmScale
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.training.batches import prepare
from generator.engine.training.importing import read_corpus
from generator.engine.training.lightening import lightened_rows, write_lightened
from generator.management.outputs import output_folder

_STRETCH = 128


class Command(BaseCommand):
    """Score a network in lighter forms on held-out pieces; needs requirements-fast.txt."""

    help = "Score a network in lighter forms on held-out pieces; needs requirements-fast.txt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the corpus, the release, where to write, and how many pieces to score."""
        parser.add_argument("--held-out", type=Path, required=True, help="Corpus, test split.")
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Where the table is written."
        )
        parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
        parser.add_argument("--pieces", type=int, help="At most so many pieces of the test split.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that read MIDI.")

    def handle(self, *_args: object, **options: object) -> None:
        """Score, write `lightened.csv`, and say each line."""
        out: Path = options["out"]
        try:
            checkpoint = load_checkpoint(options["weights"] / "lstm_acm")
            corpus = read_corpus(options["held_out"], workers=options["workers"])
            scale = CalmScale(np.array(checkpoint.config["calm_percentiles"]))
            test = corpus.split("test")[: options["pieces"]]
            pieces = [prepare(piece, scale, _STRETCH) for piece in test]
            rows = list(lightened_rows(checkpoint, pieces, self.stdout.write))
            out.mkdir(parents=True, exist_ok=True)
            write_lightened(rows, out / "lightened.csv")
        except EngineError as error:
            raise CommandError(str(error)) from error
        for row in rows:
            self.stdout.write(
                f"{row.name}: {row.nll:.4f} nats a note, {row.cost:+.4f} ({row.low:+.4f} to "
                f"{row.high:+.4f}, n = {row.pieces}), {row.megabytes:.2f} MB, "
                f"{row.event_ms:.3f} ms an event, {row.events_s:.0f} a second at 64"
            )
        self.stdout.write(self.style.SUCCESS(f"Table written to {out}."))
