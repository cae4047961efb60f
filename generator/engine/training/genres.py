"""A network a genre: each goes on learning from the release of all genres (Lee 2023).

A genre without pieces to learn from and to be judged by has no network, and is played by that of
all genres.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from generator.engine.brief import ComposerName, Style
from generator.engine.networks.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from generator.engine.networks.genres import changed, changes, packed
from generator.engine.training.corpus import Corpus
from generator.engine.training.fine_tuning import (
    fine_tune,
    fine_tuning_plan,
    style_part,
    transferred,
)
from generator.engine.training.plan import TrainingPlan
from generator.engine.training.trainer import RELEASE

logger = logging.getLogger(__name__)

RANK = 16
STEPS = 250
_FEWEST_TRAIN, _FEWEST_VALID = 8, 1


def genre_plan(plan: TrainingPlan) -> TrainingPlan:
    """Return how a genre learns: as a style is tuned to, no longer than `plan`, by its seed."""
    steps = min(plan.max_steps, STEPS)
    own = fine_tuning_plan(max_steps=steps, seed=plan.seed, bf16=plan.bf16)
    return replace(own, originality_pieces=min(own.originality_pieces, plan.originality_pieces))


def train_genres(
    base: Checkpoint,
    corpus: Corpus,
    runs: Path,
    release: Path,
    plan: TrainingPlan,
    *,
    rank: int = RANK,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Train a network of each genre and write them as one release; False where it was stopped.

    Parameters
    ----------
    base : Checkpoint
        The network of all genres.
    corpus : Corpus
    runs : Path
        A run of each genre goes on here.
    release : Path
    plan : TrainingPlan
        Seed, steps at most, precision.
    rank : int
        Of the changes that are kept.
    stop : callable
        Asked between steps.
    """
    learnt, facts = {}, {}
    for style in Style:
        part = style_part(corpus, style)
        n_train, n_valid = len(part.split("train")), len(part.split("valid"))
        if n_train < _FEWEST_TRAIN or n_valid < _FEWEST_VALID:
            logger.info("%s: %d and %d pieces are too few to learn from", style, n_train, n_valid)
            continue
        logger.info("%s: learning from %d pieces", style, n_train)
        fine_tune(base, part, runs / style, genre_plan(plan), stop=stop)
        if stop():
            return False
        if not (runs / style / RELEASE).exists():
            # No network of it was both better and as original as people.
            continue
        tuned = load_checkpoint(runs / style / RELEASE)
        learnt[style] = changes(base.arrays, tuned.arrays, rank)
        facts[style.value] = {"train_pieces": n_train, "steps": tuned.config["steps"]}
        if part.split("test"):
            facts[style.value] |= _gained(base, tuned, learnt[style], part)
    config = {
        "composer": ComposerName.FUSION.value,
        "base": base.release,
        "rank": rank,
        "genres": facts,
    }
    save_checkpoint(release, packed(learnt), config)
    return True


def _gained(
    base: Checkpoint, tuned: Checkpoint, change: Mapping[str, np.ndarray], part: Corpus
) -> dict[str, float]:
    """Return nats a note of the genre's test pieces before and after, as it is stored."""
    stored = Checkpoint(changed(base.arrays, change), tuned.config, tuned.release)
    row = transferred("", base, stored, part)
    figures = {
        "nats_before": row.before[0],
        "nats_after": row.after[0],
        "saved": row.saved[0],
        "saved_low": row.saved[1],
        "saved_high": row.saved[2],
    }
    logger.info("saved %.3f nats (%.3f to %.3f), n = %d", *row.saved, row.test_pieces)
    return {"test_pieces": row.test_pieces} | {k: round(v, 4) for k, v in figures.items()}
