"""Fine-tuning: a release goes on learning from one style, or from the calm pieces alone.

What it gained is told piece by piece on the style's own test split, beside the release it began
with (Li 2025, Tables 4-6, whose columns of listeners' marks are not ours to fill).
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.training.corpus import Corpus
from generator.engine.training.evaluation import advantages, network_nll
from generator.engine.training.lstm_acm import train_lstm_acm
from generator.engine.training.plan import Progress, TrainingPlan

COLUMNS = (
    "corpus",
    "train pieces",
    "test pieces",
    "steps",
    "nats before",
    "low",
    "high",
    "nats after",
    "low",
    "high",
    "saved",
    "low",
    "high",
)


@dataclass(frozen=True)
class Transfer:
    """Nats a note of the test split before and after, and what was saved, each with interval."""

    corpus: str
    train_pieces: int
    test_pieces: int
    steps: int
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    saved: tuple[float, float, float]


def fine_tuning_plan(**changes: object) -> TrainingPlan:
    """Return the plan: a tenth of the learning rate, more thinning, looked at often."""
    plan = {
        "max_steps": 500,
        "learning_rate": 2e-4,
        "lanes": 16,
        "dropout": 0.3,
        "weight_drop": 0.2,
        "evaluate_every": 50,
        "patience": 4,
        "originality_pieces": 2,
    }
    return TrainingPlan(**{**plan, **changes})


def calm_part(corpus: Corpus) -> Corpus:
    """Return the pieces that their collection marks as calm, in all splits.

    Raises
    ------
    ScoreError
        None is.
    """
    calm = [piece for piece in corpus.pieces if piece.calm]
    if not calm:
        raise ScoreError(
            "pieces marked calm (column calm of manifest.csv) were expected, got none. Give a "
            "collection that marks them, or leave out --calm."
        )
    return Corpus(calm, corpus.dropped, corpus.n_files)


def style_part(corpus: Corpus, style: Style) -> Corpus:
    """Return the pieces of one style, in all splits."""
    own = [piece for piece in corpus.pieces if piece.style is style]
    return Corpus(own, corpus.dropped, corpus.n_files)


def fine_tune(
    release: Checkpoint,
    corpus: Corpus,
    directory: Path,
    plan: TrainingPlan,
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Let a release learn from a corpus, or go on; the best network is `directory/release`."""
    return train_lstm_acm(corpus, directory, plan, stop=stop, start=release)


def transferred(name: str, before: Checkpoint, after: Checkpoint, corpus: Corpus) -> Transfer:
    """Return what fine-tuning gained on the test split of a corpus.

    Raises
    ------
    ScoreError
        The test split is empty.
    """
    test = corpus.split("test")
    if not test:
        raise ScoreError(
            "pieces in the test split were expected, got none. Give a larger collection."
        )
    first, second = network_nll(before, test), network_nll(after, test)
    gained = advantages(second, first, test)[0]
    return Transfer(
        name,
        len(corpus.split("train")),
        len(test),
        int(after.config["steps"]),
        (float(first.per_field.sum()), *first.interval()),
        (float(second.per_field.sum()), *second.interval()),
        (gained.saved, gained.low, gained.high),
    )


def write_transfer(row: Transfer, path: Path) -> None:
    """Write one line under its head, or add it to a table that is there."""
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        if is_new:
            writer.writerow(COLUMNS)
        figures = (f"{x:.3f}" for x in (*row.before, *row.after, *row.saved))
        writer.writerow([row.corpus, row.train_pieces, row.test_pieces, row.steps, *figures])
