"""Notes, parts and scores: music as integers on a grid, before it becomes sound.

Conventions
-----------
step        a sixteenth of a whole bar of 4/4, i.e. a quarter of a beat; all times are whole steps
onset       steps from the start of the score (>= 0)
duration    steps (>= 1)
pitch       MIDI note number, 0-127, 60 = middle C
velocity    MIDI velocity, 1-127
tempo       quarter notes (beats) per minute
"""

from dataclasses import dataclass
from enum import StrEnum

from generator.engine.errors import ScoreError

STEPS_PER_BEAT = 4


class Role(StrEnum):
    """What a part does in the texture; the melody always has a part of its own."""

    MELODY = "melody"
    INNER = "inner"
    BASS = "bass"
    PAD = "pad"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """One note on the grid."""

    onset: int
    duration: int
    pitch: int
    velocity: int

    def __post_init__(self) -> None:
        if self.onset < 0 or self.duration < 1:
            raise ScoreError(
                "a note starts at step 0 or later and lasts 1 step or more, "
                f"got onset={self.onset}, duration={self.duration}. Quantise before building notes."
            )
        if not 0 <= self.pitch <= 127 or not 1 <= self.velocity <= 127:
            raise ScoreError(
                "pitch is 0-127 and velocity 1-127, "
                f"got pitch={self.pitch}, velocity={self.velocity}. Clip or transpose first."
            )

    @property
    def offset(self) -> int:
        """The step at which the note has ended."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Part:
    """The notes of one role on one General MIDI program (0-127), sorted by onset and pitch."""

    role: Role
    program: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class TempoMark:
    """From `onset` (steps) on, the music goes at `bpm` quarter notes a minute."""

    onset: int
    bpm: float


@dataclass(frozen=True, slots=True)
class Score:
    """A piece: parts on one grid, its tempo marks (the first at step 0), its bar length."""

    parts: tuple[Part, ...]
    tempo: tuple[TempoMark, ...]
    steps_per_bar: int = 16
    tonic: int = 0
    mode: str = "major"

    def __post_init__(self) -> None:
        if not self.tempo or self.tempo[0].onset != 0:
            raise ScoreError(
                f"a score needs a tempo mark at step 0, got {self.tempo!r}. Add TempoMark(0, 60.0)."
            )

    @property
    def n_steps(self) -> int:
        """The step at which the last note has ended; 0 for a score without notes."""
        return max((note.offset for part in self.parts for note in part.notes), default=0)

    @property
    def n_notes(self) -> int:
        """How many notes all parts hold together."""
        return sum(len(part.notes) for part in self.parts)
