"""`manage.py fine_tune --corpus DIR --out DIR [--calm | --collection NAME]`: a style, or calm."""

import logging
from argparse import ArgumentParser
from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.brief import Style
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import CheckpointError, EngineError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.training.fine_tuning import (
    calm_part,
    fine_tune,
    fine_tuning_plan,
    transferred,
    write_transfer,
)
from generator.engine.training.importing import read_corpus
from generator.engine.training.trainer import RELEASE
from generator.management.commands.train_composer import asked_to_end
from generator.management.outputs import output_folder


class Command(BaseCommand):
    """Let a release go on learning from one style or the calm pieces, and say what it gained."""

    help = "Let a release go on learning from one style or the calm pieces, and say what it gained."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the corpus, which part of it, where to work, and how long to train."""
        parser.add_argument("--corpus", type=Path, required=True, help="Any folder of MIDI.")
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Run and table; goes on."
        )
        parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
        parser.add_argument(
            "--collection", default="", help="One collection of a manifest, for measuring only."
        )
        parser.add_argument("--calm", action="store_true", help="Only pieces marked as calm.")
        parser.add_argument(
            "--style",
            choices=[style.value for style in Style],
            default=Style.FOLK.value,
            help="What a style that the network has no name for is asked as.",
        )
        parser.add_argument("--steps", type=int, default=500, help="Training steps in all.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--bf16", action="store_true", help="Half precision, where it is fast.")
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *_args: object, **options: object) -> None:
        """Train, add a line to `transfer.csv`, and say it."""
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        torch.set_num_threads(options["threads"])
        out: Path = options["out"]
        plan = fine_tuning_plan(
            max_steps=options["steps"], seed=options["seed"], bf16=options["bf16"]
        )
        name = options["collection"] or options["corpus"].name
        try:
            before = load_checkpoint(options["weights"] / "lstm_acm")
            corpus = read_corpus(
                options["corpus"], collection=options["collection"], style=Style(options["style"])
            )
            if options["calm"]:
                corpus, name = calm_part(corpus), f"{name}, calm"
            with asked_to_end() as is_asked:
                fine_tune(before, corpus, out / "run", plan, stop=is_asked)
            after = load_checkpoint(_best(out / "run" / RELEASE))
            row = transferred(name, before, after, corpus)
        except EngineError as error:
            raise CommandError(str(error)) from error
        write_transfer(row, out / "transfer.csv")
        self.stdout.write(
            f"{name}: {row.before[0]:.3f} nats a note before, {row.after[0]:.3f} after {row.steps} "
            f"steps on {row.train_pieces} pieces; saved {row.saved[0]:.3f} ({row.saved[1]:.3f} to "
            f"{row.saved[2]:.3f}, n = {row.test_pieces})."
        )
        self.stdout.write(self.style.SUCCESS(f"Release written to {out / 'run' / RELEASE}."))


def _best(release: Path) -> Path:
    if not release.exists():
        raise CheckpointError(
            f"a fine-tuned network was expected in {release.parent}, got none that is no less "
            "original than people. Train longer, or on more pieces."
        )
    return release
