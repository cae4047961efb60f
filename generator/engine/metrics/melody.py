"""Melodic repetition, loops and motion.

Repetition has no good direction of its own: human melodies repeat about half of their 8-grams,
a wandering chain nearly none. Degenerate loops are told apart and are always wrong.
"""

import numpy as np

from generator.engine.metrics.originality import melody_pairs, run_rows

_SAME = 16
_PERIODS = range(1, 9)
_TIMES = 4


def repetition(onsets: np.ndarray, pitches: np.ndarray, length: int = 8) -> float:
    """Return the share of (interval, IOI) n-grams that the melody has said before; NaN if short."""
    rows = run_rows(melody_pairs(onsets, pitches), length)
    if not len(rows):
        return float("nan")
    return 1.0 - len(np.unique(rows, axis=0)) / len(rows)


def is_looping(onsets: np.ndarray, pitches: np.ndarray) -> bool:
    """Return whether a note comes 16 times alike, or a figure of up to 8 notes 4 times on end."""
    tokens = np.column_stack([pitches[1:], np.diff(onsets)])
    for period in _PERIODS:
        span = _SAME - 1 if period == 1 else period * (_TIMES - 1)
        same = (tokens[period:] == tokens[:-period]).all(axis=1).astype(int)
        if len(same) < span:
            continue
        if (np.convolve(same, np.ones(span, dtype=int), mode="valid") == span).any():
            return True
    return False


def interval_shares(pitches: np.ndarray) -> dict[str, float]:
    """Return the share of steps (up to 2 semitones), of leaps (over 7), the widest interval."""
    size = np.abs(np.diff(np.asarray(pitches, dtype=int)))
    if not len(size):
        return {"steps": float("nan"), "leaps": float("nan"), "widest": 0.0}
    return {
        "steps": float((size <= 2).mean()),
        "leaps": float((size > 7).mean()),
        "widest": float(size.max()),
    }
