"""Held-out likelihood on the fast engine: what int8 costs is measured on the engine itself."""

from collections.abc import Sequence

import numpy as np

from generator.engine.networks.batched import FastNetwork, Steps
from generator.engine.tokens.vocabulary import FIELDS
from generator.engine.training.batches import PreparedPiece
from generator.engine.training.evaluation import HeldOut


def fast_nll(fast: FastNetwork, pieces: Sequence[PreparedPiece], lanes: int = 64) -> HeldOut:
    """Return the held-out likelihood of pieces, conditions hidden, every piece from its start.

    Parameters
    ----------
    fast : FastNetwork
        With a graph that scores.
    pieces : sequence of PreparedPiece
    lanes : int
        Pieces side by side.
    """
    totals = np.zeros((len(pieces), len(FIELDS)))
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
    for first in range(0, len(order), lanes):
        group = order[first : first + lanes]
        totals[group] = _group_nll(fast, [pieces[index] for index in group])
    return HeldOut(totals, np.array([len(piece) for piece in pieces]))


def _group_nll(fast: FastNetwork, pieces: Sequence[PreparedPiece]) -> np.ndarray:
    nothing = np.zeros((len(pieces), fast.network.shape.conditions), dtype=np.float32)
    steps = Steps(fast.network, fast.scoring, nothing)
    lengths = np.array([len(piece) for piece in pieces])
    columns = {
        name: np.stack([_stretched(getattr(piece, name), lengths.max()) for piece in pieces])
        for name in ("events", "predicted", "match", "position", "phrase", "opens")
    }
    totals = np.zeros((len(pieces), len(FIELDS)))
    for at in range(lengths.max()):
        steps.inputs["truth"][:] = columns["events"][:, at]
        # Of all the places that shifts may lead to, only that of the true one is looked up.
        steps.inputs["landing"][:] = columns["position"][:, at, None]
        steps.tell(columns["predicted"][:, at], columns["match"][:, at])
        steps.run()
        totals -= np.where((at < lengths)[:, None], steps.given["log_p"], 0.0)
        steps.hear(
            columns["events"][:, at].astype(np.int64),
            columns["position"][:, at],
            columns["phrase"][:, at],
            columns["opens"][:, at, 1:],
        )
    return totals


def _stretched(rows: np.ndarray, length: int) -> np.ndarray:
    """Return the rows with the last one repeated up to a length."""
    return np.concatenate([rows, np.repeat(rows[-1:], length - len(rows), axis=0)])
