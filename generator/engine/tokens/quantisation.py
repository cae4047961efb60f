"""From any whole-step music to values that a note event can hold, by the nearest bin."""

import numpy as np

from generator.engine.score.notes import Note, Part, Score
from generator.engine.tokens.vocabulary import DURATION_STEPS, SHIFT_MAX, VELOCITY_CENTRES

_DURATION_EDGES = (DURATION_STEPS[1:] + DURATION_STEPS[:-1]) / 2
_VELOCITY_EDGES = (VELOCITY_CENTRES[1:] + VELOCITY_CENTRES[:-1]) / 2


def duration_bins(durations: np.ndarray) -> np.ndarray:
    """Return the index of the nearest duration bin; lengths beyond 64 steps fall into the last."""
    return np.searchsorted(_DURATION_EDGES, durations)


def velocity_bins(velocities: np.ndarray) -> np.ndarray:
    """Return the index of the nearest of the eight velocities."""
    return np.searchsorted(_VELOCITY_EDGES, velocities)


def close_gaps(onsets: np.ndarray, steps_per_bar: int) -> np.ndarray:
    """Return sorted onsets moved earlier by whole bars wherever a gap exceeds what a shift can say.

    The metrical position of every onset stays as it was.
    """
    gaps = np.diff(onsets, prepend=0)
    excess = np.maximum(gaps - SHIFT_MAX, 0)
    bars = -(-excess // steps_per_bar)
    return onsets - np.cumsum(bars * steps_per_bar)


def quantise(score: Score) -> Score:
    """Return the score with durations and velocities on their bins and long silences closed."""
    onsets = np.array(sorted({note.onset for part in score.parts for note in part.notes}))
    moved = dict(zip(onsets, close_gaps(onsets, score.steps_per_bar), strict=True))
    parts = tuple(
        Part(part.role, part.program, tuple(_quantised(note, moved) for note in part.notes))
        for part in score.parts
    )
    return Score(parts, score.tempo, score.steps_per_bar, score.tonic, score.mode)


def _quantised(note: Note, moved: dict[int, int]) -> Note:
    return Note(
        int(moved[note.onset]),
        int(DURATION_STEPS[duration_bins(note.duration)]),
        note.pitch,
        int(VELOCITY_CENTRES[velocity_bins(note.velocity)]),
    )
