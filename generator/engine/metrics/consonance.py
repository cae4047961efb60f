"""Consonance: how long the melody rubs against a tone that is held beneath or above it."""

import numpy as np

from generator.engine.score.notes import STEPS_PER_BEAT, Note, Role, Score

# A semitone and a minor ninth, in semitones: the roughest intervals that equal temperament has
# (Plomp and Levelt 1965, J. Acoust. Soc. Am. 38: 548).
RUBS = frozenset({1, 13})


def held_rub_share(score: Score) -> float:
    """Return the share of the melody's time in which it rubs against a tone for a beat or longer.

    A rub is a note of another part a semitone or a minor ninth away, sounding together with the
    melody note for at least one beat without a break. 0 without a melody.

    Parameters
    ----------
    score : Score
    """
    melody = [note for part in score.parts if part.role is Role.MELODY for note in part.notes]
    others = [note for part in score.parts if part.role is not Role.MELODY for note in part.notes]
    if not melody or not others:
        return 0.0
    onsets, offsets, pitches = (
        np.array([getattr(note, name) for note in others]) for name in ("onset", "offset", "pitch")
    )
    rubbed = sum(_rubbed(note, onsets, offsets, pitches) for note in melody)
    return rubbed / sum(note.duration for note in melody)


def _rubbed(note: Note, onsets: np.ndarray, offsets: np.ndarray, pitches: np.ndarray) -> int:
    """Return in how many steps of a melody note another part rubs against it."""
    begins, ends = np.maximum(onsets, note.onset), np.minimum(offsets, note.offset)
    held = np.isin(np.abs(pitches - note.pitch), list(RUBS)) & (ends - begins >= STEPS_PER_BEAT)
    steps = np.zeros(note.duration, dtype=bool)
    for begin, end in zip(begins[held] - note.onset, ends[held] - note.onset, strict=True):
        steps[begin:end] = True
    return int(steps.sum())
