"""Returning themes: the notes a phrase is given, set again on its own chords and guards."""

import numpy as np

from generator.engine.composers.guards import MelodyNote
from generator.engine.composers.harmony import Chord
from generator.engine.composers.weaving import BAR, Stage

_FAITHFULNESS = 0.9


def restate(stage: Stage, chords: list[Chord]) -> list[MelodyNote]:
    """Return the given notes, each moved to the nearest pitch the guard allows, and push them."""
    notes = []
    for note in stage.given:
        chord = chords[min((note.onset - stage.phrase.start) // BAR, len(chords) - 1)]
        weights = stage.guard.weights(note.onset, chord)
        distance = np.abs(np.arange(len(weights)) - note.pitch)
        pitch = int(np.argmax(0.3 * weights - _FAITHFULNESS * distance))
        stage.guard.push(note.onset, pitch)
        notes.append(MelodyNote(note.onset, note.duration, pitch))
    return notes


def first_onset(stage: Stage) -> int:
    """Return where the first free note of a phrase may begin: after the given ones, on a beat."""
    if stage.given:
        return stage.phrase.start + len(stage.given_degrees) * BAR
    return stage.phrase.start + int(stage.rng.choice((0, 0, 0, 4, 8)))


def last_onset(stage: Stage) -> int:
    """Return the last place at which a phrase may still begin a note: closing phrases breathe."""
    end = stage.bar_start(stage.phrase.n_bars)
    return end - (12 if stage.phrase.closes else 6)
