"""`manage.py distil_composer --corpus DIR --out DIR`: a smaller network from a release."""

import logging
from argparse import ArgumentParser
from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import EngineError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.training.distilling import student_shape
from generator.engine.training.importing import read_corpus
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.plan import TrainingPlan
from generator.engine.training.trainer import RELEASE
from generator.management.commands.train_composer import asked_to_end
from generator.management.outputs import output_folder


class Command(BaseCommand):
    """Let a smaller network learn from a release; lighten_composer measures what came of it."""

    help = "Let a smaller network learn what a release says, beside the notes of a corpus."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the corpus, the teacher, where to work, the student's sizes, how long to train."""
        parser.add_argument("--corpus", type=Path, required=True, help="Any folder of MIDI.")
        parser.add_argument("--out", type=output_folder, required=True, help="The run; goes on.")
        parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
        parser.add_argument("--hidden", type=int, default=192, help="The student's width.")
        parser.add_argument("--layers", type=int, default=2, help="The student's layers.")
        parser.add_argument("--steps", type=int, default=3000, help="Training steps in all.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--alone", action="store_true", help="Without the teacher, to see what it gave."
        )
        parser.add_argument("--bf16", action="store_true", help="Half precision, where it is fast.")
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *_args: object, **options: object) -> None:
        """Train, and say where the student is."""
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        torch.set_num_threads(options["threads"])
        steps = options["steps"]
        plan = TrainingPlan(
            max_steps=steps,
            seed=options["seed"],
            bf16=options["bf16"],
            dropout=0.0,
            weight_drop=0.0,
            evaluate_every=min(TrainingPlan.evaluate_every, steps),
        )
        try:
            teacher = load_checkpoint(options["weights"] / "lstm_acm")
            shape = student_shape(teacher, options["hidden"], options["layers"])
            corpus = read_corpus(options["corpus"])
            with asked_to_end() as is_asked:
                progress = train_lstm_acm(
                    corpus,
                    options["out"],
                    plan,
                    shape,
                    stop=is_asked,
                    teacher=None if options["alone"] else teacher,
                )
        except EngineError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"{progress.best:.3f} nats a note of the valid split after {progress.step} steps; "
                f"release in {options['out'] / RELEASE}."
            )
        )
