"""What the Markov chain looks back on: contexts of rhythm and interval, in training and composing.

A melody is a chain of notes; from each note the chain first draws when the next begins (its
inter-onset interval, IOI, given the metrical position and the IOIs before), then where it goes (its
interval, given the scale degree and the intervals and IOIs before).
"""

import numpy as np

MAX_ORDER = 8
LONGEST_IOI = 32
RHYTHM_SIZE = LONGEST_IOI
INTERVAL_LIMIT = 12
INTERVAL_SIZE = 2 * INTERVAL_LIMIT + 1
_NOTHING = -1


def rhythm_contexts(positions: np.ndarray, iois: np.ndarray, order: int) -> np.ndarray:
    """Return the context of each IOI, shape (n, 1 + order): position, then the IOIs before.

    Parameters
    ----------
    positions : ndarray, shape (n,)
        Position id of the note that the IOI starts from.
    iois : ndarray, shape (n,)
        IOI symbols; entry i is drawn after entries 0 ... i - 1 are known.
    order : int
    """
    columns = [positions, *(_shifted(iois, lag) for lag in range(1, order + 1))]
    return np.column_stack(columns)


def interval_contexts(
    pitches: np.ndarray, mode: str, intervals: np.ndarray, iois: np.ndarray, order: int
) -> np.ndarray:
    """Return the context of each interval, shape (n, 1 + 2 order): degree, then what came before.

    Parameters
    ----------
    pitches : ndarray, shape (n,)
        Pitch (tonic at C) of the note that the interval starts from.
    mode : str
    intervals, iois : ndarray, shape (n,)
        Symbols; entry i is drawn after entries 0 ... i - 1 are known.
    order : int
    """
    degree = pitches % 12 + (12 if mode == "minor" else 0)
    columns = [degree]
    for lag in range(1, order + 1):
        columns += [_shifted(intervals, lag), _shifted(iois, lag)]
    return np.column_stack(columns)


def rhythm_context(position: int, iois: list[int], order: int) -> np.ndarray:
    """Return the context of the IOI to come, as `rhythm_contexts` has it; most recent IOI last."""
    return np.array([position, *_recent(iois, order)])


def interval_context(
    pitch: int, mode: str, intervals: list[int], iois: list[int], order: int
) -> np.ndarray:
    """Return the context of the interval to come, as `interval_contexts` has it."""
    degree = pitch % 12 + (12 if mode == "minor" else 0)
    pairs = zip(_recent(intervals, order), _recent(iois, order), strict=True)
    return np.array([degree, *(symbol for pair in pairs for symbol in pair)])


def _recent(values: list[int], count: int) -> list[int]:
    """Return the last `count` values, the latest first, padded where there are fewer."""
    latest = values[::-1][:count]
    return latest + [_NOTHING] * (count - len(latest))


def _shifted(values: np.ndarray, lag: int) -> np.ndarray:
    """Return the value `lag` places before each place; a mark where the melody had not begun."""
    lag = min(lag, len(values))
    return np.concatenate([np.full(lag, _NOTHING), values[: len(values) - lag]])
