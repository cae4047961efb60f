"""Ten features of a melodic phrase on a grid of eighths, for many phrases at once.

The genetic composer measures its genomes with them, and training measures the corpus with the same
function, so that "like the corpus" means one thing.

Axes
----
P phrase, S slot (an eighth; 8 a bar), F feature
"""

import numpy as np

SLOTS_PER_BAR = 8
FEATURES = (
    "mean interval",
    "steps",
    "repeated notes",
    "leaps",
    "range",
    "on the beat",
    "bars begun",
    "rhythm kept",
    "gap spread",
    "turns",
)
_LEAP = 4


def phrase_features(begins: np.ndarray, pitches: np.ndarray) -> np.ndarray:
    """Return the features of each phrase, shape (P, F).

    Parameters
    ----------
    begins : ndarray of bool, shape (P, S)
        Whether a note begins in the slot; S is a whole number of bars.
    pitches : ndarray of int, shape (P, S)
        Its pitch; anything where none begins.
    """
    n, slots = begins.shape
    count = np.maximum(begins.sum(axis=1), 1)
    before = previous_slot(begins)
    linked = begins & (before >= 0)
    rows = np.arange(n)[:, None]
    interval = np.where(linked, pitches - pitches[rows, np.maximum(before, 0)], 0)
    size = np.abs(interval)
    links = np.maximum(linked.sum(axis=1), 1)
    gap = np.where(linked, np.arange(slots) - before, 0)
    mean_gap = gap.sum(axis=1) / links
    spread = np.sqrt(np.where(linked, (gap - mean_gap[:, None]) ** 2, 0).sum(axis=1) / links)
    high = np.where(begins, pitches, -1).max(axis=1)
    low = np.where(begins, pitches, 999).min(axis=1)
    bars = begins.reshape(n, -1, SLOTS_PER_BAR)
    kept = (bars[:, 1:] == bars[:, :-1]).mean(axis=(1, 2)) if bars.shape[1] > 1 else np.ones(n)
    came = interval[rows, np.maximum(before, 0)]
    turns = (linked & (interval * came < 0)).sum(axis=1) / links
    columns = (
        size.sum(axis=1) / links,
        (linked & (size >= 1) & (size <= 2)).sum(axis=1) / links,
        (linked & (size == 0)).sum(axis=1) / links,
        (linked & (size > _LEAP)).sum(axis=1) / links,
        np.maximum(high - low, 0),
        begins[:, ::2].sum(axis=1) / count,
        bars[:, :, 0].mean(axis=1),
        kept,
        spread,
        turns,
    )
    return np.column_stack(columns).astype(float)


def previous_slot(begins: np.ndarray) -> np.ndarray:
    """Return, for each slot, the slot before it in which a note last began; -1 for none."""
    index = np.where(begins, np.arange(begins.shape[1]), -1)
    latest = np.maximum.accumulate(index, axis=1)
    return np.concatenate([np.full((len(begins), 1), -1), latest[:, :-1]], axis=1)
