"""`manage.py measure_method --corpus DIR --out DIR`: train locally and measure, or a release."""

import logging
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.errors import CheckpointError, EngineError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.tokens.vocabulary import FIELDS
from generator.engine.training.comparison import write_rows
from generator.engine.training.importing import read_corpus
from generator.engine.training.melodies import melodies_of
from generator.engine.training.method import (
    Drawing,
    composing,
    foretelling,
    in_words,
    method_plan,
    train_method,
    write_targets,
)
from generator.engine.training.trainer import RELEASE
from generator.management.commands.train_composer import asked_to_end
from generator.management.outputs import output_folder

_COLLECTION = "pop909"


class Command(BaseCommand):
    """Train on the melodies of a collection and measure what was learnt; nothing of it ships.

    With `--release` what is measured was learnt before, from all parts of the class A files.
    """

    help = "Train on the melodies of one collection and measure them, or measure a release."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the collection, where to work, how long to train and how much to compose."""
        parser.add_argument("--corpus", type=Path, required=True, help="Folder with manifest.csv.")
        parser.add_argument("--collection", help="Its name in the manifest; pop909 to train on.")
        parser.add_argument(
            "--release", type=Path, help="Measure this release (a folder) and train nothing."
        )
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Run and tables; goes on."
        )
        parser.add_argument("--steps", type=int, default=2500, help="Training steps in all.")
        parser.add_argument("--minutes", type=float, default=1e9, help="Training time in all.")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--bf16", action="store_true", help="Half precision, where it is fast.")
        parser.add_argument(
            "--pieces", type=int, default=Drawing.pieces, help="Streams to compose."
        )
        parser.add_argument("--notes", type=int, default=Drawing.notes, help="Notes of each.")
        parser.add_argument(
            "--top-p",
            type=float,
            nargs="+",
            default=Drawing.top_p,
            help="The nucleus, one for all fields or one each: shift, role, pitch, duration, "
            "velocity.",
        )
        parser.add_argument("--loops", action="store_true", help="Let streams go round in circles.")
        parser.add_argument(
            "--draws", type=int, default=Drawing.draws, help="Draws of a stream; 1: no gate."
        )
        parser.add_argument("--no-training", action="store_true", help="Measure what there is.")
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *_args: object, **options: object) -> None:
        """Train, measure, write `targets.csv` and `measures.csv`, and say what was reached."""
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        torch.set_num_threads(options["threads"])
        out: Path = options["out"]
        out.mkdir(parents=True, exist_ok=True)
        plan = method_plan(
            max_steps=options["steps"],
            minutes=options["minutes"],
            seed=options["seed"],
            bf16=options["bf16"],
        )
        release: Path | None = options["release"]
        collection = options["collection"] or ("" if release else _COLLECTION)
        try:
            self.stdout.write(f"Reading {collection or 'the class A files'} ...")
            corpus = read_corpus(options["corpus"], collection=collection)
            if release is None:
                corpus = melodies_of(corpus)
                if not options["no_training"]:
                    with asked_to_end() as is_asked:
                        train_method(corpus, out / "run", plan, stop=is_asked)
                release = _best(out / "run" / RELEASE)
            checkpoint = load_checkpoint(release)
            targets = foretelling(checkpoint, corpus)
            drawing = Drawing(
                options["pieces"],
                options["notes"],
                _nuclei(options["top_p"]),
                guards_loops=not options["loops"],
                draws=options["draws"],
            )
            composed, rows = composing(checkpoint, corpus, drawing, self.stdout.write)
        except EngineError as error:
            raise CommandError(str(error)) from error
        targets += composed
        write_targets(targets, out / "targets.csv")
        write_rows(rows, out / "measures.csv")
        for target in targets:
            self.stdout.write(in_words(target))
        steps = checkpoint.config["steps"]
        self.stdout.write(self.style.SUCCESS(f"After {steps} steps; tables written to {out}."))


def _nuclei(given: Sequence[float]) -> tuple[float, ...]:
    if len(given) not in (1, len(FIELDS)):
        raise CommandError(
            f"1 or {len(FIELDS)} numbers were expected for --top-p, got {len(given)}. Give one for "
            f"all fields, or one each: {', '.join(FIELDS)}."
        )
    return tuple(given)


def _best(release: Path) -> Path:
    if not release.exists():
        raise CheckpointError(
            f"a trained network was expected in {release.parent}, got none yet. Train longer."
        )
    return release
