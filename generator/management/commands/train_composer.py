"""`manage.py train_composer lstm_acm --corpus DIR --out DIR`: rebuild a release from MIDI."""

import logging
import signal
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from django.core.management.base import BaseCommand, CommandError

from generator.engine.brief import ComposerName
from generator.engine.errors import EngineError
from generator.engine.training.building import build_release
from generator.engine.training.plan import TrainingPlan, parity_plan
from generator.management.outputs import output_folder


def positive(text: str) -> int:
    """Return the whole number of 1 or more that an option says."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"a whole number of 1 or more was expected, got {text!r}.")
    return int(text)


@contextmanager
def asked_to_end() -> Iterator[Callable[[], bool]]:
    """Yield a question: was the process asked to end? A run then keeps what it has learnt."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda received, _frame: asked.append(received))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Command(BaseCommand):
    """Train a network, or estimate tables, from a directory of MIDI files."""

    help = "Train a network, or estimate tables, from a directory of MIDI files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the composer, the corpus, and how long to train."""
        parser.add_argument("composer", choices=[name.value for name in ComposerName])
        parser.add_argument("--corpus", type=Path, required=True, help="Directory of MIDI files.")
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Where releases are written."
        )
        parser.add_argument("--minutes", type=float, default=1e9, help="Training time in all.")
        parser.add_argument(
            "--steps",
            type=positive,
            default=TrainingPlan.max_steps,
            help="Training steps in all; the learning rate falls over the last 30 %%.",
        )
        parser.add_argument("--lanes", type=positive, help="Batch size, if not the plan's own.")
        parser.add_argument(
            "--parity",
            action="store_true",
            help="Li's configuration: windows of 128 steps, batch 64, 5e-4.",
        )
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--bf16", action="store_true", help="Half precision, where it is fast.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that read MIDI.")
        parser.add_argument("--threads", type=int, default=1, help="Threads that train.")

    def handle(self, *_args: object, **options: object) -> None:
        """Build the release and say what was read and left out."""
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        torch.set_num_threads(options["threads"])
        chosen = {
            "minutes": options["minutes"],
            "max_steps": options["steps"],
            "seed": options["seed"],
            "bf16": options["bf16"],
        }
        if options["lanes"]:
            chosen["lanes"] = options["lanes"]
        plan = parity_plan(**chosen) if options["parity"] else TrainingPlan(**chosen)
        try:
            with asked_to_end() as is_asked:
                built = build_release(
                    ComposerName(options["composer"]),
                    options["corpus"],
                    options["out"],
                    plan,
                    workers=options["workers"],
                    report=self.stdout.write,
                    stop=is_asked,
                )
        except EngineError as error:
            raise CommandError(str(error)) from error
        for reason, count in sorted(built.dropped.items()):
            self.stdout.write(f"Left out {count}: {reason}.")
        if built.release is None:
            self.stdout.write(
                "No release yet: the run ended before it had a network that copies no more than "
                "people do. The same command goes on."
            )
            return
        self.stdout.write(self.style.SUCCESS(f"Release written to {built.release}."))
