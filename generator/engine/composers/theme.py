"""Returning themes: the notes a phrase is given, set again on its own chords and guards."""

import numpy as np

from generator.engine.composers.guards import MelodyNote
from generator.engine.composers.harmony import Chord
from generator.engine.composers.weaving import BAR, Stage

_FAITHFULNESS = 0.9
_TASTE = 0.3


def restate(stage: Stage, chords: list[Chord]) -> list[MelodyNote]:
    """Return the given notes, each moved to the nearest pitch the guard allows, and push them."""
    notes = []
    for note in stage.given:
        chord = chords[min((note.onset - stage.phrase.start) // BAR, len(chords) - 1)]
        pitch = restated(stage, note, chord)
        stage.guard.push(note.onset, pitch)
        notes.append(MelodyNote(note.onset, note.duration, pitch))
    return notes


def restated(stage: Stage, note: MelodyNote, chord: Chord) -> int:
    """Return the pitch nearest to a given note's that the guard allows and the chord welcomes."""
    weights = stage.guard.weights(note.onset, chord)
    distance = np.abs(np.arange(len(weights)) - note.pitch)
    return int(np.argmax(_TASTE * weights - _FAITHFULNESS * distance))


def first_onset(stage: Stage) -> int:
    """Return where the first free note of a phrase may begin: after the given ones, or a breath."""
    if stage.given:
        return stage.phrase.start + len(stage.given_degrees) * BAR
    return stage.phrase.start + stage.breath


def last_onset(stage: Stage) -> int:
    """Return the last place at which a phrase may still begin a note: closing phrases breathe."""
    end = stage.bar_start(stage.phrase.n_bars)
    return end - (12 if stage.phrase.closes else 6)
