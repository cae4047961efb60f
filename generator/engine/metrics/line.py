"""The melody of a piece as arrays: what most measures of music look at.

Conventions
-----------
onsets, durations   whole steps; a bar has `steps_per_bar` of them
pitches             MIDI numbers
One note an onset: of several, the highest.
"""

from dataclasses import dataclass

import numpy as np

from generator.engine.score.notes import Role, Score


@dataclass(frozen=True)
class Line:
    """One melody, sorted by onset."""

    onsets: np.ndarray
    pitches: np.ndarray
    durations: np.ndarray
    steps_per_bar: int = 16
    tonic: int = 0
    mode: str = "major"

    def __len__(self) -> int:
        return len(self.onsets)

    @property
    def n_bars(self) -> int:
        """Bars from the first bar line before the first note to the last note's bar."""
        if not len(self.onsets):
            return 0
        first, last = self.onsets[[0, -1]] // self.steps_per_bar
        return int(last - first) + 1

    def bars(self, first: int, count: int) -> "Line":
        """Return the notes of `count` bars, counted from the first bar of the line."""
        start = (int(self.onsets[0]) // self.steps_per_bar + first) * self.steps_per_bar
        chosen = (self.onsets >= start) & (self.onsets < start + count * self.steps_per_bar)
        return Line(
            self.onsets[chosen] - start,
            self.pitches[chosen],
            self.durations[chosen],
            self.steps_per_bar,
            self.tonic,
            self.mode,
        )


def make_line(
    onsets: np.ndarray,
    pitches: np.ndarray,
    durations: np.ndarray,
    steps_per_bar: int = 16,
    tonic: int = 0,
    mode: str = "major",
) -> Line:
    """Return a line of notes in any order, the highest of each onset kept."""
    onsets, pitches = np.asarray(onsets, dtype=np.int64), np.asarray(pitches, dtype=np.int64)
    order = np.lexsort((-pitches, onsets))
    onsets, pitches = onsets[order], pitches[order]
    top = np.diff(onsets, prepend=-1) > 0
    durations = np.asarray(durations, dtype=np.int64)[order]
    return Line(onsets[top], pitches[top], durations[top], steps_per_bar, tonic, mode)


def melody_of(score: Score, breadth: int = 1) -> Line:
    """Return the melody part of a score.

    Parameters
    ----------
    score : Score
    breadth : int
        Steps of the score that one step of the line stands for: night pieces sound at half the
        written speed, and are measured as written.
    """
    notes = [note for part in score.parts if part.role is Role.MELODY for note in part.notes]
    rows = np.array([(n.onset, n.pitch, n.duration) for n in notes]).reshape(-1, 3).astype(int)
    return make_line(
        rows[:, 0] // breadth,
        rows[:, 1],
        np.maximum(rows[:, 2] // breadth, 1),
        score.steps_per_bar,
        score.tonic,
        score.mode,
    )
