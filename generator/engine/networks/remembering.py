"""The pointer of the copy head one event at a time, in numpy: the piece's past as keys and events.

Equals `pointer.Pointer` up to rounding; the last W moments are kept, so a moment costs the same at
the end of a long night as at its beginning.
"""

from collections.abc import Mapping

import numpy as np

from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import SIZES

# For each field: which earlier fields of the same event a remembered event must share with it.
PREFIXES = ((), (0,), (0, 1), (0, 1), (0, 1, 3))
N_DISTANCES = 10
FAINT = 1e-9


def distance_bias(weights: Mapping[str, np.ndarray], memory: int) -> np.ndarray:
    """Return what is added to the score of each of `memory` moments, the oldest first."""
    distance = np.arange(memory, 0, -1)
    bucket = np.minimum(np.log2(distance).astype(int), N_DISTANCES - 1)
    return weights["pointer.distance_bias"][bucket]


class PastMoments:
    """Keys of the states before events, and the events that then came, oldest first.

    Parameters
    ----------
    weights : mapping of str to ndarray
        The arrays of a release.
    shape : NetworkShape
    """

    def __init__(self, weights: Mapping[str, np.ndarray], shape: NetworkShape) -> None:
        self._w = weights
        self._memory, self._size = shape.pointer_memory, shape.pointer_size
        self._keys = np.zeros((4 * self._memory, self._size), dtype=np.float32)
        self._events = np.zeros((4 * self._memory, len(SIZES)), dtype=np.int64)
        self._end = 0
        self._weight: np.ndarray | None = None
        self._bias = distance_bias(weights, shape.pointer_memory)

    def append(self, state: np.ndarray, event: tuple[int, ...]) -> None:
        """Remember that `event` came after `state`."""
        if self._end == len(self._keys):
            kept = slice(self._end - self._memory, self._end)
            self._keys[: self._memory], self._events[: self._memory] = (
                self._keys[kept].copy(),
                self._events[kept].copy(),
            )
            self._end = self._memory
        self._keys[self._end] = self._w["pointer.key.weight"] @ state + self._w["pointer.key.bias"]
        self._events[self._end] = event
        self._end += 1
        self._weight = None

    def point(self, state: np.ndarray, chosen: tuple[int, ...]) -> tuple[np.ndarray, float, float]:
        """Return p of each value of the next field, the weight that agrees, the largest weight.

        Parameters
        ----------
        state : ndarray
            The state before the event that is to come.
        chosen : tuple of int
            Its fields so far.
        """
        field = len(chosen)
        if not self._end:
            return np.zeros(SIZES[field]), 0.0, 0.0
        if self._weight is None:
            self._weight = self._weights(state)
        events = self._events[max(self._end - self._memory, 0) : self._end]
        weight = self._weight
        for known in PREFIXES[field]:
            weight = weight * (events[:, known] == chosen[known])
        mass = float(weight.sum())
        said = np.bincount(events[:, field], weights=weight, minlength=SIZES[field])
        return said / (mass + FAINT), mass, float(self._weight.max())

    def _weights(self, state: np.ndarray) -> np.ndarray:
        keys = self._keys[max(self._end - self._memory, 0) : self._end]
        query = self._w["pointer.query.weight"] @ state + self._w["pointer.query.bias"]
        score = keys @ query / np.float32(np.sqrt(self._size)) + self._bias[-len(keys) :]
        weight = np.exp((score - score.max()).astype(np.float64))
        return weight / weight.sum()
