"""How much of a network's own music stands in the training pieces, beside what people share.

Held-out loss alone does not tell a network that has begun to recite. At every evaluation it
composes a few streams; the share of their melodic 8-grams that the training melodies hold is
compared with the same share of held-out human melodies, whose upper 95 % bound (bootstrap by piece)
is the limit.
"""

from collections.abc import Sequence

import numpy as np

from generator.engine.composers.stream import sample_stream
from generator.engine.metrics.originality import melody_pairs, run_rows
from generator.engine.networks.backoff import absorbed, blank_state
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.incremental import Network
from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.tokens.vocabulary import PITCH_LOWEST
from generator.engine.training.corpus import Piece

RUN_NOTES = 8
_MELODY = 0
_BOOTSTRAPS = 1000


class OriginalityWatch:
    """Compares what a network composes with its training melodies.

    Parameters
    ----------
    train, held_out : sequence of Piece
        What it learns from; what people wrote besides.
    n_pieces, n_events : int
        How much it composes for one measurement.
    seed : int
    """

    def __init__(
        self,
        train: Sequence[Piece],
        held_out: Sequence[Piece],
        *,
        n_pieces: int = 4,
        n_events: int = 512,
        seed: int = 1,
    ) -> None:
        self._known = np.unique(np.concatenate([_runs(piece.events) for piece in train]))
        self._n_pieces, self._n_events, self._seed = n_pieces, n_events, seed
        counts = np.array([self._copied(piece.events) for piece in held_out]).reshape(-1, 2)
        rng = np.random.default_rng(seed)
        rows = rng.integers(len(counts), size=(_BOOTSTRAPS, len(counts)))
        copied, total = counts[rows].sum(axis=1).T
        self.human = float(counts[:, 0].sum() / max(counts[:, 1].sum(), 1))
        self.limit = float(np.quantile(copied / np.maximum(total, 1), 0.975))

    def copied_share(self, network: LstmAcm, step: int) -> float:
        """Return the share of 8-grams of freshly composed melodies that training melodies hold."""
        arrays = {name: value.cpu().numpy() for name, value in network.state_dict().items()}
        reader = Network(Checkpoint(arrays, {"shape": network.shape.as_dict()}, "training"))
        nothing = np.zeros(network.shape.conditions, dtype=np.float32)
        counts = np.zeros(2)
        for number in range(self._n_pieces):
            rng = np.random.default_rng((self._seed, step, number))
            events = sample_stream(reader, nothing, self._n_events, rng)
            counts += self._copied(events)
        return float(counts[0] / max(counts[1], 1))

    def is_original(self, copied: float) -> bool:
        """Return whether a share is one that people reach as well."""
        return copied <= self.limit

    def _copied(self, events: np.ndarray) -> tuple[int, int]:
        """Return (distinct 8-grams that training melodies hold, distinct 8-grams)."""
        runs = np.unique(_runs(events))
        at = np.minimum(np.searchsorted(self._known, runs), len(self._known) - 1)
        return int((self._known[at] == runs).sum()), len(runs)


def _runs(events: np.ndarray) -> np.ndarray:
    """Return a 64-bit hash of each run of eight melody notes."""
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    is_melody = events[:, 1] == _MELODY
    onsets, pitches = onsets[is_melody], events[is_melody, 2].astype(np.int64) + PITCH_LOWEST
    first = np.diff(onsets, prepend=-1) > 0
    rows = run_rows(melody_pairs(onsets[first], pitches[first]), RUN_NOTES - 1)
    state = blank_state(len(rows))
    for column in rows.T:
        state = absorbed(state, column)
    return state
