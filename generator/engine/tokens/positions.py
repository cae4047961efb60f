"""Where something was seen last: a table of 64-bit hashes that is asked for hundreds at once.

A dictionary takes one hash at a time through Python; here a handful of array operations take all
of them, and what was looked up is written back without another look.
"""

import numpy as np

_EMPTY = 0
_LEAST_BITS = 12
# The odd whole number nearest 2^64 over the golden ratio: spreads neighbouring hashes.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class PositionTable:
    """Positions by hash, open addressing, at most half full; hashes are never forgotten.

    A hash of 0 means an empty place: one in 2^64 is not remembered.
    """

    def __init__(self) -> None:
        self._resize(_LEAST_BITS)

    def places(self, hashes: np.ndarray) -> np.ndarray:
        """Return where each hash stands, or would stand; good until the next `remember`.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n,)
        """
        places = ((hashes * _SPREAD) >> self._shift).astype(np.intp)
        held = self._hashes[places]
        missed = np.flatnonzero((held != hashes) & (held != _EMPTY))
        while len(missed):
            places[missed] = (places[missed] + 1) & self._mask
            held, wanted = self._hashes[places[missed]], hashes[missed]
            missed = missed[(held != wanted) & (held != _EMPTY)]
        return places

    def positions(self, places: np.ndarray) -> np.ndarray:
        """Return the position at each place, -1 where nothing stands."""
        return self._positions[places]

    def remember(self, hashes: np.ndarray, places: np.ndarray, positions: np.ndarray | int) -> None:
        """Remember a position of each hash, in place of the one before.

        Parameters
        ----------
        hashes : ndarray of uint64, shape (n,)
            No hash twice.
        places : ndarray of int, shape (n,)
            As `places` gave them.
        positions : ndarray of int64, shape (n,), or int
            0 or more.
        """
        self._count += int(np.count_nonzero(self._hashes[places] == _EMPTY))
        self._write(hashes, places, np.broadcast_to(positions, hashes.shape))
        if 2 * self._count > len(self._hashes):
            self._grow()

    def _write(self, hashes: np.ndarray, places: np.ndarray, positions: np.ndarray) -> None:
        self._hashes[places] = hashes
        self._positions[places] = positions
        # Two that wanted one empty place: the last one has it.
        lost = np.flatnonzero(self._hashes[places] != hashes)
        if len(lost):
            self._write(hashes[lost], self.places(hashes[lost]), positions[lost])

    def _grow(self) -> None:
        known = self._hashes != _EMPTY
        hashes, positions = self._hashes[known], self._positions[known]
        self._resize(len(self._hashes).bit_length())
        self._count = len(hashes)
        self._write(hashes, self.places(hashes), positions)

    def _resize(self, bits: int) -> None:
        self._hashes = np.zeros(1 << bits, dtype=np.uint64)
        self._positions = np.full(1 << bits, -1, dtype=np.int64)
        self._shift, self._mask, self._count = np.uint64(64 - bits), (1 << bits) - 1, 0
