"""From a corpus to a trained LSTM-ACM release: calm scale, piece weights, run, held-out figures."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.metrics.calm import CalmScale, calm_scale, stretch_features
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.batches import PreparedPiece, prepare
from generator.engine.training.corpus import Corpus, Piece
from generator.engine.training.distilling import Distillation
from generator.engine.training.originality import OriginalityWatch
from generator.engine.training.plan import Progress, TrainingPlan
from generator.engine.training.trainer import Run

# Styles with few pieces are heard more often than their share, or the network would not know them.
_STYLE_WEIGHT = {
    Style.CLASSICAL: 1.0,
    Style.SONG: 1.0,
    Style.GUITAR: 2.0,
    Style.FOLK: 2.0,
    Style.JAZZ: 2.0,
}
_SHORTEST_STRETCH = 32


def scale_of(pieces: list[Piece], length: int) -> CalmScale:
    """Return the calm scale on which the stretches of these pieces are spread evenly."""
    features = [
        stretch_features(piece.onsets[at : at + length], piece.events[at : at + length])
        for piece in pieces
        for at in range(0, max(len(piece.events) - _SHORTEST_STRETCH, 1), length)
    ]
    return calm_scale(np.array(features))


def piece_weights(pieces: list[Piece], prepared: list[PreparedPiece]) -> np.ndarray:
    """Return how often each piece is played: calm pieces and rare styles more often."""
    return np.array(
        [
            _STYLE_WEIGHT[piece.style] * (0.4 + 1.6 * ready.calmness)
            for piece, ready in zip(pieces, prepared, strict=True)
        ]
    )


def train_lstm_acm(
    corpus: Corpus,
    directory: Path,
    plan: TrainingPlan,
    shape: NetworkShape | None = None,
    *,
    n_valid: int = 64,
    stop: Callable[[], bool] = lambda: False,
    start: Checkpoint | None = None,
    teacher: Checkpoint | None = None,
) -> Progress:
    """Train, or go on training, a network on the train split; the best one is `directory/release`.

    Parameters
    ----------
    corpus : Corpus
    directory : Path
        The folder of the run.
    plan : TrainingPlan
    shape : NetworkShape, optional
    n_valid : int
        How many pieces of the valid split the early stop listens to.
    stop : callable
        Asked between steps; true ends the run after its state is safe.
    start : Checkpoint, optional
        The release that a new run goes on from: its weights, sizes and calm scale.
    teacher : Checkpoint, optional
        A release whose distributions the network learns beside the notes (`distilling`).
    """
    train, valid = corpus.split("train"), corpus.split("valid")
    if not train or not valid:
        raise ScoreError(
            f"pieces in the train and valid splits were expected, got {len(train)} and "
            f"{len(valid)}. Give a larger folder of MIDI files."
        )
    scale = scale_of(train, plan.length)
    if start is not None:
        shape = NetworkShape.of_release(start.config["shape"])
    known = start or teacher
    if known is not None:
        scale = CalmScale(np.array(known.config["calm_percentiles"]))
    prepared = [prepare(piece, scale, plan.length) for piece in train]
    watched = valid[:: max(len(valid) // n_valid, 1)][:n_valid]
    facts = {
        "train_pieces": len(train),
        "train_events": sum(map(len, prepared)),
        "train_styles": dict(Counter(piece.style.value for piece in train)),
        "calm_percentiles": np.round(scale.percentiles, 4).tolist(),
    }
    watch = None
    if plan.originality_pieces:
        watch = OriginalityWatch(
            train,
            valid,
            n_pieces=plan.originality_pieces,
            n_events=plan.originality_events,
            seed=plan.seed,
        )
        facts |= {"human_copied_share": watch.human, "copied_share_limit": watch.limit}
    if start is not None:
        facts["started_from"] = start.release
    kind: Callable[..., Run] = Run
    if teacher is not None:
        facts["taught_by"] = teacher.release
        kind = partial(Distillation, teacher)
    run = kind(
        directory,
        shape or NetworkShape(),
        plan,
        prepared,
        [prepare(piece, scale, plan.length) for piece in watched],
        piece_weights(train, prepared),
        facts,
        watch,
        None if start is None else start.arrays,
    )
    return run.go(stop)
