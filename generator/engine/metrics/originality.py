"""Copied runs: which 12-grams of a melody the training melodies hold, by a Bloom filter.

A melody is compared as (interval, inter-onset interval) pairs, so transposed copies are found. A
run of 13 notes has twelve pairs; forbidding every known 12-gram keeps copies to 12 notes, the
longest that held-out human melodies share with a training set. The filter never misses a known
12-gram; it takes a new one for known in about one case in a hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generator.engine.networks.backoff import (
    absorbed,
    absorbed_value,
    blank_state,
    context_hash,
    short_hash,
)

RUN_PAIRS = 12
_LONGEST_GAP = 32
_BITS_PER_ENTRY = 10
_N_HASHES = 7


def melody_pairs(onsets: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """Return (interval, inter-onset interval) of each note after the first, shape (n - 1, 2)."""
    gaps = np.minimum(np.diff(onsets), _LONGEST_GAP)
    return np.column_stack([np.diff(pitches.astype(np.int64)), gaps])


def run_rows(pairs: np.ndarray, length: int = RUN_PAIRS) -> np.ndarray:
    """Return each run of `length` pairs as one row, shape (n - length + 1, 2 * length)."""
    if len(pairs) < length:
        return np.zeros((0, 2 * length), dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(pairs, length, axis=0)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)


@dataclass(frozen=True)
class OriginalityFilter:
    """A Bloom filter over the 12-grams of the training melodies; `bits` is uint8, packed."""

    bits: np.ndarray

    def knows(self, rows: np.ndarray) -> np.ndarray:
        """Return whether each row of `run_rows` occurs in the training melodies."""
        if not len(rows):
            return np.zeros(0, dtype=bool)
        return self._holds(context_hash(rows), context_hash(rows[:, ::-1]))

    def _holds(self, forwards: np.ndarray, backwards: np.ndarray) -> np.ndarray:
        places = _places_of(forwards, backwards, 8 * len(self.bits))
        return (self.bits[places >> 3] >> (places & 7) & 1).all(axis=1)

    def are_copies(
        self, onsets: Sequence[int], pitches: Sequence[int], onset: int, candidates: np.ndarray
    ) -> np.ndarray:
        """Return, for each candidate next pitch, whether it would complete a copy of 13 notes.

        Parameters
        ----------
        onsets, pitches : sequence of int
            The melody so far.
        onset : int
            Where the next note begins.
        candidates : ndarray of int, shape (n,)
        """
        if len(onsets) < RUN_PAIRS or not len(candidates):
            return np.zeros(len(candidates), dtype=bool)
        known = melody_pairs(
            np.array([*onsets[-RUN_PAIRS:], onset]), np.array([*pitches[-RUN_PAIRS:], 0])
        )
        *shared, _, gap = known.reshape(-1).tolist()
        last = candidates - pitches[-1]
        # Only the last interval differs: what the rows share is absorbed as single values.
        forwards = blank_state(1)
        for value in shared:
            forwards = absorbed_value(forwards, value)
        forwards = absorbed_value(absorbed(forwards, last), gap)
        backwards = absorbed(absorbed_value(blank_state(1), gap), last)
        for value in reversed(shared):
            backwards = absorbed_value(backwards, value)
        return self._holds(short_hash(forwards), short_hash(backwards))


def build_filter(rows: np.ndarray) -> OriginalityFilter:
    """Return the filter that knows these rows (duplicates are welcome)."""
    n_bits = -(-max(len(rows), 1) * _BITS_PER_ENTRY // 8) * 8
    places = np.unique(_places(rows, n_bits))
    bits = np.zeros(n_bits // 8, dtype=np.uint8)
    np.bitwise_or.at(bits, places >> 3, (1 << (places & 7)).astype(np.uint8))
    return OriginalityFilter(bits)


def longest_copied_run(
    onsets: np.ndarray, pitches: np.ndarray, known_rows: Sequence[set[bytes]]
) -> int:
    """Return the notes of the longest run that the training melodies hold, exactly.

    Parameters
    ----------
    onsets, pitches : ndarray, shape (n,)
    known_rows : sequence of set of bytes
        For each run length in pairs, 1, 2, ..., the int16 bytes of all training rows.
    """
    pairs = melody_pairs(onsets, pitches)
    longest = 1
    for length, known in enumerate(known_rows, start=1):
        rows = run_rows(pairs, length).astype(np.int16)
        if not any(row.tobytes() in known for row in rows):
            break
        longest = length + 1
    return longest


def _places(rows: np.ndarray, n_bits: int) -> np.ndarray:
    """Return the bits of each row by double hashing, shape (n, 7)."""
    return _places_of(context_hash(rows), context_hash(rows[:, ::-1]), n_bits)


def _places_of(forwards: np.ndarray, backwards: np.ndarray, n_bits: int) -> np.ndarray:
    first, second = forwards.astype(np.uint64), backwards.astype(np.uint64) | np.uint64(1)
    steps = np.arange(_N_HASHES, dtype=np.uint64)
    return ((first[:, None] + steps * second[:, None]) % np.uint64(n_bits)).astype(np.int64)
