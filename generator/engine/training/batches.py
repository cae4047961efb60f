"""Contiguous streams: each lane of a batch plays pieces from start to end, its memory carried on.

Training on windows alone leaves a network lost after a few minutes of its own music; training on
streams shows it what a long piece feels like.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from generator.engine.metrics.calm import (
    CalmScale,
    stretch_density,
    stretch_features,
    stretch_register,
)
from generator.engine.networks.lstm_acm import Outcome, Stretch
from generator.engine.tokens.conditions import N_CONDITIONS, condition_vector
from generator.engine.tokens.vocabulary import phrase_ids, position_ids
from generator.engine.training.corpus import Piece


@dataclass(frozen=True)
class PreparedPiece:
    """One piece with all that a stretch of it needs, as arrays over its events."""

    events: np.ndarray
    predicted: np.ndarray
    match: np.ndarray
    position: np.ndarray
    phrase: np.ndarray
    opens: np.ndarray
    conditions: np.ndarray
    calmness: float

    def __len__(self) -> int:
        return len(self.events)


def prepare(piece: Piece, calm_scale: CalmScale, stretch_length: int) -> PreparedPiece:
    """Return the piece with positions, segment openings and conditions worked out."""
    onsets = piece.onsets
    bars, beats = onsets // piece.metre.steps, onsets // piece.metre.beat
    opens = np.ones((len(onsets), 3), dtype=bool)
    opens[1:, 1] = np.diff(beats) > 0
    opens[1:, 2] = np.diff(bars) > 0
    rows, calmness = [], []
    for start in range(0, len(onsets), stretch_length):
        window = slice(start, start + stretch_length)
        calm = calm_scale.rank(stretch_features(onsets[window], piece.events[window]))
        rows.append(
            condition_vector(
                {piece.style: 1.0},
                piece.mode,
                piece.tempo_bpm,
                calm,
                stretch_density(onsets[window]),
                stretch_register(piece.events[window]),
                _familiarity(piece, window),
            )
        )
        calmness.append(calm)
    return PreparedPiece(
        piece.events,
        piece.predicted,
        piece.match,
        position_ids(onsets, piece.metre),
        phrase_ids(onsets, piece.metre),
        opens,
        np.stack(rows),
        float(np.mean(calmness)),
    )


def _familiarity(piece: Piece, window: slice) -> float:
    """Return the share of pitches in a stretch that the piece's own past foretold."""
    right = piece.predicted[window, 2] == piece.events[window, 2]
    return float((right & (piece.match[window] > 0)).mean())


@dataclass(frozen=True)
class Batch:
    """What the network hears, what then came, which steps count, and which lanes begin a piece."""

    stretch: Stretch
    outcome: Outcome
    counts: torch.Tensor
    begins: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(
            Stretch(*(value.to(device) for value in self.stretch)),
            Outcome(*(value.to(device) for value in self.outcome)),
            self.counts.to(device),
            self.begins.to(device),
        )


class Lanes:
    """`n_lanes` pieces side by side; a lane that ends takes the next piece of the shuffled order.

    Parameters
    ----------
    pieces : sequence of PreparedPiece
    weights : ndarray, shape (n_pieces,)
        How often a piece is played, relative to the others.
    n_lanes, length : int
        Batch size and events a stretch.
    rng : numpy.random.Generator
        Draws pieces and hides conditions; its state is part of `state`.
    hide : float
        Share of stretches whose conditions are hidden.
    """

    def __init__(
        self,
        pieces: Sequence[PreparedPiece],
        weights: np.ndarray,
        n_lanes: int,
        length: int,
        rng: np.random.Generator,
        hide: float = 0.15,
    ) -> None:
        self._pieces = pieces
        self._weights = weights / weights.sum()
        self._length = length
        self._rng = rng
        self._hide = hide
        # Lanes start in the middle of pieces, or all would begin (and end) together.
        self._piece = [self._draw() for _ in range(n_lanes)]
        self._at = [self._random_start(index) for index in self._piece]
        self._fresh = [True] * n_lanes

    def next(self) -> Batch:
        """Return the next stretch of every lane."""
        rows = []
        begins = list(self._fresh)
        for lane in range(len(self._piece)):
            index, at = self._piece[lane], self._at[lane]
            hidden = bool(self._rng.random() < self._hide)
            rows.append((self._pieces[index], at, hidden))
            self._at[lane] = at + self._length
            self._fresh[lane] = self._at[lane] >= len(self._pieces[index])
            if self._fresh[lane]:
                self._piece[lane], self._at[lane] = self._draw(), 0
        return make_batch(rows, self._length, begins)

    def state(self) -> dict:
        """Return where every lane is, as plain JSON values."""
        return {
            "piece": list(self._piece),
            "at": list(self._at),
            "fresh": list(self._fresh),
            "rng": self._rng.bit_generator.state,
        }

    def restore(self, state: dict) -> None:
        """Go back to a state that `state` returned."""
        self._piece, self._at = list(state["piece"]), list(state["at"])
        self._fresh = list(state["fresh"])
        self._rng.bit_generator.state = state["rng"]

    def _draw(self) -> int:
        return int(self._rng.choice(len(self._weights), p=self._weights))

    def _random_start(self, index: int) -> int:
        stretches = -(-len(self._pieces[index]) // self._length)
        return int(self._rng.integers(stretches)) * self._length


def make_batch(
    rows: Sequence[tuple[PreparedPiece, int, bool]],
    length: int,
    begins: Sequence[bool],
    sizes: Sequence[int] | None = None,
) -> Batch:
    """Return the stretches [at, at + length) of pieces as one batch, padded where a piece ends.

    Parameters
    ----------
    rows : sequence of (piece, first event, whether to hide its conditions)
    length : int
    begins : sequence of bool
        Whether the lane's memory must be emptied first.
    sizes : sequence of int, optional
        How many events of each stretch count, where it ends before `length`.
    """
    n = len(rows)
    heard, events, predicted = (np.zeros((n, length, 5), dtype=np.int64) for _ in range(3))
    heard_position, heard_phrase, position, match = (
        np.zeros((n, length), dtype=np.int64) for _ in range(4)
    )
    is_start, counts = np.zeros((n, length), dtype=bool), np.zeros((n, length), dtype=bool)
    opens = np.zeros((n, length, 3), dtype=bool)
    conditions = np.zeros((n, N_CONDITIONS), dtype=np.float32)
    for row, (piece, at, hidden) in enumerate(rows):
        size = min(length if sizes is None else sizes[row], len(piece) - at)
        now = slice(at, at + size)
        events[row, :size], predicted[row, :size] = piece.events[now], piece.predicted[now]
        match[row, :size], position[row, :size] = piece.match[now], piece.position[now]
        counts[row, :size] = True
        skip = 1 if at == 0 else 0
        before = slice(at + skip - 1, at + size - 1)
        heard[row, skip:size] = piece.events[before]
        heard_position[row, skip:size] = piece.position[before]
        heard_phrase[row, skip:size] = piece.phrase[before]
        opens[row, skip:size] = piece.opens[before]
        is_start[row, :skip] = True
        if not hidden:
            conditions[row] = piece.conditions[min(at // length, len(piece.conditions) - 1)]
    tensors = [torch.from_numpy(a) for a in (heard, is_start, heard_position, heard_phrase, opens)]
    return Batch(
        Stretch(*tensors, torch.from_numpy(conditions)),
        Outcome(*(torch.from_numpy(a) for a in (events, position, predicted, match))),
        torch.from_numpy(counts),
        torch.tensor(list(begins)),
    )
