"""Scores as arrays of note events and back, without loss for scores on the grid.

A score is *on the grid* when each role has one part, each duration and velocity is a bin of the
vocabulary, no gap between onsets exceeds 32 steps, and each pitch lies on the piano after the move
to a tonic of C. `quantisation.quantise` brings music there.
"""

from dataclasses import dataclass

import numpy as np

from generator.engine.errors import ScoreError
from generator.engine.score.notes import Note, Part, Score, TempoMark
from generator.engine.tokens.quantisation import duration_bins, velocity_bins
from generator.engine.tokens.vocabulary import (
    DURATION_STEPS,
    N_PITCHES,
    PITCH_LOWEST,
    ROLES,
    SHIFT_MAX,
    VELOCITY_CENTRES,
)


@dataclass(frozen=True)
class EventStream:
    """The note events of one score, with what the events themselves do not say.

    `events` is uint8, shape (n, 5), fields as in `vocabulary.FIELDS`; the first shift counts from
    step 0.
    """

    events: np.ndarray
    programs: tuple[tuple[str, int], ...]
    tempo: tuple[TempoMark, ...]
    steps_per_bar: int
    tonic: int
    mode: str

    @property
    def onsets(self) -> np.ndarray:
        """The onset of each event in steps."""
        return np.cumsum(self.events[:, 0], dtype=np.int64)


def transposition_to_c(tonic: int) -> int:
    """Return the semitones, -5 ... +6, that bring a tonic to the nearest C."""
    return -tonic if tonic <= 5 else 12 - tonic


def encode(score: Score) -> EventStream:
    """Return the note events of a score on the grid, ordered by onset, then pitch, then role.

    Raises
    ------
    ScoreError
        The score is not on the grid.
    """
    roles = [part.role for part in score.parts]
    if len(set(roles)) != len(roles):
        raise ScoreError(f"one part a role was expected, got {roles}. Merge parts first.")
    transposition = transposition_to_c(score.tonic)
    rows = sorted(
        (note.onset, note.pitch + transposition - PITCH_LOWEST, ROLES.index(part.role), note)
        for part in score.parts
        for note in part.notes
    )
    events = np.zeros((len(rows), 5), dtype=np.int64)
    before = 0
    for row, (onset, pitch, role, note) in enumerate(rows):
        duration, velocity = int(duration_bins(note.duration)), int(velocity_bins(note.velocity))
        _require_on_grid(note, onset - before, pitch, duration, velocity)
        events[row] = onset - before, role, pitch, duration, velocity
        before = onset
    programs = tuple((part.role.value, part.program) for part in score.parts)
    return EventStream(
        events.astype(np.uint8), programs, score.tempo, score.steps_per_bar, score.tonic, score.mode
    )


def decode(stream: EventStream) -> Score:
    """Return the score that `encode` was given."""
    back = PITCH_LOWEST - transposition_to_c(stream.tonic)
    notes: dict[str, list[Note]] = {role: [] for role, _ in stream.programs}
    for onset, (_, role, pitch, duration, velocity) in zip(
        stream.onsets.tolist(), stream.events.tolist(), strict=True
    ):
        notes[ROLES[role].value].append(
            Note(
                onset, int(DURATION_STEPS[duration]), pitch + back, int(VELOCITY_CENTRES[velocity])
            )
        )
    by_name = {role.value: role for role in ROLES}
    parts = tuple(
        Part(by_name[name], program, tuple(sorted(notes[name], key=_onset_then_pitch)))
        for name, program in stream.programs
    )
    return Score(parts, stream.tempo, stream.steps_per_bar, stream.tonic, stream.mode)


def _onset_then_pitch(note: Note) -> tuple[int, int, int, int]:
    return note.onset, note.pitch, note.duration, note.velocity


def _require_on_grid(note: Note, shift: int, pitch: int, duration: int, velocity: int) -> None:
    fits = (
        shift <= SHIFT_MAX
        and 0 <= pitch < N_PITCHES
        and DURATION_STEPS[duration] == note.duration
        and VELOCITY_CENTRES[velocity] == note.velocity
    )
    if not fits:
        raise ScoreError(
            f"a note on the grid of the vocabulary was expected, got {note} after a gap of {shift} "
            "steps. Pass the score through quantise(), and keep it on the piano, first."
        )
