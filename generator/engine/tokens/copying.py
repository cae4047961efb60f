"""What the piece itself says comes next: the longest earlier passage that ends like this one.

The copy head of LSTM-ACM mixes its own distribution with this prediction. Events are compared as
(interval to the event before, shift, role), so a theme is recognised in any transposition, and the
predicted pitch is moved to where the present passage stands.

Match classes count from the shortest order, so that a network that was trained with fewer orders
reads a longer match as its own longest.
"""

import numpy as np

from generator.engine.tokens.vocabulary import N_PITCHES, SIZES

ORDERS = (32, 20, 12, 8, 6, 4)
N_MATCH_CLASSES = len(ORDERS) + 1
_MODULUS = (1 << 61) - 1
_BASE = 1_000_003
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
