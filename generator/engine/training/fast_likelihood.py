"""Held-out likelihood on the fast engine: what int8 costs is measured on the engine itself."""

from collections.abc import Sequence

import numpy as np

from generator.engine.networks.batched import FastNetwork, Steps
from generator.engine.tokens.vocabulary import FIELDS, METRES, position_ids
from generator.engine.training.batches import PreparedPiece
from generator.engine.training.evaluation import HeldOut

_FIRST_PLACES = np.array([position_ids(np.zeros(1), metre)[0] for metre in METRES])
_BAR_STEPS = np.array([metre.steps for metre in METRES])


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
    metre = np.searchsorted(_FIRST_PLACES, columns["position"], side="right") - 1
    given, last = steps.inputs, fast.network.shape.match_classes - 1
    given["place"][:, 1] = _BAR_STEPS[metre[:, 0]]
    given["place"][:, 2] = _FIRST_PLACES[metre[:, 0]]
    totals = np.zeros((len(pieces), len(FIELDS)))
    for at in range(lengths.max()):
        given["truth"][:] = columns["events"][:, at]
        given["guess"][:] = columns["predicted"][:, at]
        given["match"][:] = np.minimum(columns["match"][:, at], last)
        given["heard_guess"][:, 0] = columns["match"][:, at] > 0
        landing = columns["position"][:, at] - given["place"][:, 2]
        given["place"][:, 0] = (landing - columns["events"][:, at, 0]) % given["place"][:, 1]
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
