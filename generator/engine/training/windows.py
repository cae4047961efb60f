"""The paper's protocol (Li 2025, section 4.1): windows of 128 sixteenths, one every 32, by chance.

Every window stands alone: what came before it is not remembered. Beside contiguous streams
(`batches.Lanes`) this is what the parity plan trains on. Windows of one piece overlap by three
quarters, so a split must be by piece.
"""

from collections.abc import Sequence

import numpy as np

from generator.engine.training.batches import Batch, PreparedPiece, make_batch

WINDOW_STEPS, STRIDE_STEPS = 128, 32
_FEWEST_EVENTS = 8


def window_spans(events: np.ndarray) -> list[tuple[int, int]]:
    """Return the first event and the number of events of each window that holds eight or more.

    Parameters
    ----------
    events : ndarray, uint8, shape (n, 5)
    """
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    starts = np.arange(0, int(onsets[-1]) + 1, STRIDE_STEPS)
    first = np.searchsorted(onsets, starts)
    sizes = np.searchsorted(onsets, starts + WINDOW_STEPS) - first
    return [
        (int(at), int(size))
        for at, size in zip(first, sizes, strict=True)
        if size >= _FEWEST_EVENTS
    ]


class Windows:
    """Batches of windows drawn by chance; a drop-in for `batches.Lanes`.

    Parameters
    ----------
    pieces : sequence of PreparedPiece
    n_lanes : int
        Windows in a batch.
    length : int
        Events a batch has room for in each window; fuller windows are cut.
    rng : numpy.random.Generator
    hide : float
        Share of windows whose conditions are hidden.
    """

    def __init__(
        self,
        pieces: Sequence[PreparedPiece],
        n_lanes: int,
        length: int,
        rng: np.random.Generator,
        hide: float = 0.15,
    ) -> None:
        self._pieces, self._n_lanes, self._length = pieces, n_lanes, length
        self._rng, self._hide = rng, hide
        self._windows = [
            (number, at, min(size, length))
            for number, piece in enumerate(pieces)
            for at, size in window_spans(piece.events)
        ]

    def next(self) -> Batch:
        """Return windows drawn by chance, each with an empty memory."""
        chosen = self._rng.integers(len(self._windows), size=self._n_lanes)
        hidden = self._rng.random(self._n_lanes) < self._hide
        rows, sizes = [], []
        for index, is_hidden in zip(chosen, hidden, strict=True):
            number, at, size = self._windows[index]
            rows.append((self._pieces[number], at, bool(is_hidden)))
            sizes.append(size)
        return make_batch(rows, self._length, [True] * self._n_lanes, sizes)

    def state(self) -> dict:
        """Return where chance stands, as plain JSON values."""
        return {"rng": self._rng.bit_generator.state}

    def restore(self, state: dict) -> None:
        """Go back to a state that `state` returned."""
        self._rng.bit_generator.state = state["rng"]
