"""`manage.py evaluate_composers --held-out DIR --out DIR`: one table of all measures."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generator.engine.brief import ComposerName
from generator.engine.composers.registry import composer_for, plain_composers
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import EngineError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.training.comparison import Task, compare, markdown_table, write_rows
from generator.engine.training.evaluation import (
    PAIRS,
    accuracy_rows,
    likelihood_rows,
    write_accuracies,
    write_advantages,
    write_table,
)
from generator.engine.training.figures import write_figures
from generator.engine.training.importing import read_corpus
from generator.management.commands.train_composer import positive
from generator.management.outputs import output_folder


class Command(BaseCommand):
    """Measure every composer beside human pieces and chance."""

    help = "Measure every composer beside human pieces and chance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the corpus, where to write, and how much to compose."""
        parser.add_argument(
            "--held-out", type=Path, required=True, help="Corpus with train and test splits."
        )
        parser.add_argument(
            "--out", type=output_folder, required=True, help="Where the table is written."
        )
        parser.add_argument("--weights", type=Path, default=WEIGHTS, help="Folder of releases.")
        parser.add_argument("--pieces", type=positive, default=200, help="Pieces by each composer.")
        parser.add_argument("--minutes", type=float, default=5.0, help="Length of each.")
        parser.add_argument("--composers", default=",".join(ComposerName))
        parser.add_argument(
            "--plain", action="store_true", help="The comparators' plain forms too."
        )
        parser.add_argument("--workers", type=int, default=1, help="Processes that read MIDI.")
        parser.add_argument("--no-likelihood", action="store_true", help="Leave out nats a note.")

    def handle(self, *_args: object, **options: object) -> None:
        """Measure, write the table as CSV and Markdown, the likelihoods, and the figures."""
        out: Path = options["out"]
        try:
            names = [ComposerName(name) for name in options["composers"].split(",")]
            corpus = read_corpus(options["held_out"], workers=options["workers"])
            composers = {name.value: composer_for(name, options["weights"]) for name in names}
            if options["plain"]:
                composers |= plain_composers(options["weights"])
            task = Task(options["pieces"], options["minutes"])
            rows = compare(composers, corpus, task, self.stdout.write)
            out.mkdir(parents=True, exist_ok=True)
            write_rows(rows, out / "measures.csv")
            (out / "measures.md").write_text(markdown_table(rows), encoding="utf-8")
            write_figures(rows, out / "figures")
            if not options["no_likelihood"]:
                self.stdout.write("Measuring likelihoods ...")
                network = load_checkpoint(options["weights"] / "lstm_acm")
                likelihoods = likelihood_rows(network, corpus)
                write_table(out / "likelihood.csv", likelihoods)
                write_advantages(out / "advantages.csv", likelihoods, PAIRS, corpus)
                write_accuracies(out / "accuracy.csv", accuracy_rows(network, corpus))
        except (EngineError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"Tables and figures written to {out}."))
