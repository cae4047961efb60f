"""Keeping to the plan's density: notes come as often as the plan asks, wherever they like."""

import numpy as np

from generator.engine.composers.form import BAR, Phrase

_PULL = 1.3
_STRICTNESS = 0.3


class Pace:
    """How many melody notes are due at each place of one phrase, and how far behind we are.

    Parameters
    ----------
    phrase : Phrase
    """

    def __init__(self, phrase: Phrase) -> None:
        self._start = phrase.start
        self._per_place = phrase.melody_notes / BAR
        self.count = 0

    def fit(self, onsets: np.ndarray) -> np.ndarray:
        """Return the log-weight of each place as the very next onset: best where a note is due."""
        due = (onsets - self._start) * self._per_place - self.count
        return -_STRICTNESS * due**2

    def pull(self, onsets: np.ndarray) -> np.ndarray:
        """Return the log-weight for a note at each place, against none: positive where overdue."""
        due = (onsets - self._start) * self._per_place + 1.0 - self.count
        return _PULL * np.clip(due - 0.5, -6.0, 3.0)
