"""`manage.py search_composer --corpus DIR --out DIR --trials N`: sizes and rates of LSTM-ACM."""

from argparse import ArgumentParser
from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.errors import EngineError
from generator.engine.training.importing import read_corpus
from generator.engine.training.plan import TrainingPlan
from generator.engine.training.search import TRIALS, Way, search
from generator.management.commands.train_composer import asked_to_end, positive
from generator.management.outputs import output_folder


class Command(BaseCommand):
    """Search layers, hidden units, heads, learning rate and batch by short trainings."""

    help = "Search layers, hidden units, heads, learning rate and batch by short trainings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the corpus, where to work, how many trials, and how long each."""
        parser.add_argument("--corpus", type=Path, required=True, help="Directory of MIDI files.")
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Runs and tables; goes on."
        )
        parser.add_argument("--way", choices=[way.value for way in Way], default=Way.TPE.value)
        parser.add_argument("--trials", type=positive, default=20, help="Trials in all.")
        parser.add_argument("--steps", type=positive, default=300, help="Training steps of each.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--bf16", action="store_true", help="Half precision, where it is fast.")
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *_args: object, **options: object) -> None:
        """Search, and say the best trial."""
        torch.set_num_threads(options["threads"])
        steps = options["steps"]
        plan = TrainingPlan(
            max_steps=steps,
            seed=options["seed"],
            bf16=options["bf16"],
            evaluate_every=max(steps // 4, 1),
            originality_pieces=0,
        )
        try:
            corpus = read_corpus(options["corpus"])
            with asked_to_end() as is_asked:
                done = search(
                    corpus,
                    options["out"],
                    Way(options["way"]),
                    options["trials"],
                    plan,
                    report=self.stdout.write,
                    stop=is_asked,
                )
        except EngineError as error:
            raise CommandError(str(error)) from error
        if done:
            best = min(done, key=lambda trial: trial.nats)
            self.stdout.write(f"Best of {len(done)}: {best.values}, {best.nats:.3f} nats a note.")
        self.stdout.write(self.style.SUCCESS(f"Trials in {options['out'] / TRIALS}."))
