"""What the piece itself says comes next: the longest earlier passage that ends like this one.

The copy head of LSTM-ACM mixes its own distribution with this prediction. Events are compared as
(interval to the event before, shift, role), so a theme is recognised in any transposition, and the
predicted pitch is moved to where the present passage stands.

Match classes count from the shortest order, so that a network that was trained with fewer orders
reads a longer match as its own longest.
"""

import numpy as np

from generator.engine.tokens.positions import PositionTable
from generator.engine.tokens.vocabulary import N_PITCHES, SIZES

ORDERS = (32, 20, 12, 8, 6, 4)
N_MATCH_CLASSES = len(ORDERS) + 1
_MODULUS = (1 << 61) - 1
_BASE = 1_000_003
_ORDERS = np.array(ORDERS)
# What wraps around at 2^64 needs no remainder.
_WRAPPED_POWERS = np.array([[pow(_BASE, order, 1 << 64)] for order in ORDERS], dtype=np.uint64)
_POWERS = tuple((order, pow(_BASE, order, _MODULUS)) for order in ORDERS)


class CopyMemory:
    """The passages of one piece so far, found by their last 32, 20, 12, 8, 6 or 4 events in O(1).

    Parameters
    ----------
    min_distance : int
        How many events back (1 or more) the end of a passage must lie before it may be copied.
    """

    def __init__(self, min_distance: int = 1) -> None:
        self._min_distance = min_distance
        self._events: list[tuple[int, ...]] = []
        self._seen: tuple[dict[int, int], ...] = tuple({} for _ in ORDERS)
        self._pending: list[tuple[tuple[int, int], ...]] = []
        # Hash of all tokens so far, by their number: the hash of the last ones is a difference.
        self._prefix = [0]
        self._contexts: tuple[tuple[int, int], ...] = ()

    def append(self, event: tuple[int, ...]) -> None:
        """Remember one more event."""
        before = self._events[-1][2] if self._events else event[2]
        self._events.append(event)
        token = _token(event[2] - before, event[0], event[1])
        self._prefix.append((self._prefix[-1] * _BASE + token) % _MODULUS)
        self._contexts = self._contexts_now()
        self._pending.append(self._contexts)
        position = len(self._events) - 1 - self._min_distance
        if position >= 0:
            for rank, key in self._pending[position]:
                self._seen[rank][key] = position
            self._pending[position] = ()

    def predict(self) -> tuple[tuple[int, ...] | None, int]:
        """Return (the predicted next event, match class); (None, 0) where nothing matches.

        The match class is 1 for a match of 4 events up to 6 for a match of 32.
        """
        for rank, key in self._contexts:
            position = self._seen[rank].get(key)
            if position is None:
                continue
            follower = self._events[position + 1]
            pitch = follower[2] - self._events[position][2] + self._events[-1][2]
            if 0 <= pitch < N_PITCHES:
                return (*follower[:2], pitch, *follower[3:]), len(ORDERS) - rank
        return None, 0

    def _contexts_now(self) -> tuple[tuple[int, int], ...]:
        count, last = len(self._events), self._prefix[-1]
        return tuple(
            (rank, (last - self._prefix[count - order] * power) % _MODULUS)
            for rank, (order, power) in enumerate(_POWERS)
            if count >= order
        )


class CopyMemories:
    """A `CopyMemory` for each of many pieces that grow side by side, for a fraction of the time.

    All pieces and orders share one table; contexts are 64-bit hashes that differ between pieces.

    Parameters
    ----------
    pieces : int
    """

    def __init__(self, pieces: int) -> None:
        self._pieces = np.arange(pieces)
        self._events = np.zeros((1024, pieces, len(SIZES)), dtype=np.int64)
        self._count = 0
        self._prefix = np.zeros((ORDERS[0] + 1, pieces), dtype=np.uint64)
        self._seen = PositionTable()
        self._contexts = np.zeros(0, dtype=np.uint64)
        self._places = np.zeros(0, dtype=np.intp)
        rng = np.random.default_rng(0)
        self._salt = rng.integers(1 << 64, size=(len(ORDERS), pieces), dtype=np.uint64)

    def append(self, events: np.ndarray) -> None:
        """Remember one more event of every piece, shape (B, 5)."""
        if self._count == len(self._events):
            self._events = np.concatenate([self._events, np.zeros_like(self._events)])
        before = self._events[self._count - 1, :, 2] if self._count else events[:, 2]
        token = _token(events[:, 2] - before, events[:, 0], events[:, 1]).astype(np.uint64)
        last = self._prefix[self._count % len(self._prefix)] * np.uint64(_BASE) + token
        # What ended at the event before may be copied from now on.
        self._seen.remember(self._contexts, self._places, self._count - 1)
        self._events[self._count] = events
        self._count += 1
        self._prefix[self._count % len(self._prefix)] = last
        reached = len(ORDERS) - int(np.searchsorted(ORDERS[::-1], self._count, side="right"))
        begun = self._prefix[(self._count - _ORDERS[reached:]) % len(self._prefix)]
        contexts = (last - begun * _WRAPPED_POWERS[reached:]) ^ self._salt[reached:]
        self._contexts = contexts.ravel()
        self._places = self._seen.places(self._contexts)

    def predict(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the predicted next events, shape (B, 5), and the match classes, shape (B,)."""
        guesses = np.zeros((len(self._pieces), len(SIZES)), dtype=np.int64)
        if not len(self._contexts):
            return guesses, guesses[:, 0]
        seen = self._seen.positions(self._places).reshape(-1, len(self._pieces))
        pitch = self._events[seen + 1, self._pieces, 2] - self._events[seen, self._pieces, 2]
        pitch += self._events[self._count - 1, :, 2]
        matches = (seen >= 0) & (pitch >= 0) & (pitch < N_PITCHES)
        longest = matches.argmax(axis=0)
        found = matches[longest, self._pieces]
        guesses[:] = self._events[seen[longest, self._pieces] + 1, self._pieces]
        guesses[:, 2] = pitch[longest, self._pieces]
        guesses[~found] = 0
        return guesses, np.where(found, len(seen) - longest, 0)


def copy_predictions(events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each event of a piece, what the copy memory predicted before it was heard.

    Parameters
    ----------
    events : ndarray, uint8, shape (n, 5)

    Returns
    -------
    predicted : ndarray, uint8, shape (n, 5)
        Zeros where nothing matched.
    match : ndarray, uint8, shape (n,)
        The match class, 0-6.
    """
    predicted = np.zeros_like(events)
    match = np.zeros(len(events), dtype=np.uint8)
    memory = CopyMemory()
    for index, event in enumerate(events.tolist()):
        guess, match[index] = memory.predict()
        if guess is not None:
            predicted[index] = guess
        memory.append(tuple(event))
    return predicted, match


def _token(interval: int, shift: int, role: int) -> int:
    return ((interval + N_PITCHES) * SIZES[0] + shift) * SIZES[1] + role + 1
