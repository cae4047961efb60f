"""Fewer melody notes where a night has more of them than its profile lets pass.

Composers keep to the plan's density on the whole, and go over it by a note or two where a theme
returns. Drawing the night again would not help, for the next one does the same elsewhere; so the
hands leave out what the ear misses least. All composers pass through here, and what was left out is
not in the MIDI file either.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from generator.engine.audio.notation import melody_windows
from generator.engine.audio.performance import LEAD_IN_S
from generator.engine.audio.profile import Timeline
from generator.engine.score.clock import Clock
from generator.engine.score.notes import STEPS_PER_BEAT, Note, Part, Role, Score


def thin(score: Score, timeline: Timeline) -> Score:
    """Return the score with its melody no denser than the profile's limits at both ends.

    Where notes have to go, the weakest go first: off the beat before on it, short before long; the
    note before holds on in their place. The first note of the melody always stays.
    """
    clock = Clock(score.tempo)
    parts = tuple(
        _thinned(part, clock, timeline) if part.role is Role.MELODY else part
        for part in score.parts
    )
    return replace(score, parts=parts)


def _thinned(part: Part, clock: Clock, timeline: Timeline) -> Part:
    notes = list(part.notes)
    for start_s, stop_s, limit in melody_windows(timeline):
        most = int(limit * (stop_s - start_s) / 60)
        onsets_s = LEAD_IN_S + clock.seconds_of(np.array([note.onset for note in notes], dtype=int))
        inside = [
            index
            for index in np.flatnonzero((onsets_s >= start_s) & (onsets_s < stop_s))
            if index > 0
        ]
        surplus = int(((onsets_s >= start_s) & (onsets_s < stop_s)).sum()) - most
        weakest = sorted(inside, key=lambda index: _strength(notes[index]))
        notes = _without(notes, set(weakest[: max(surplus, 0)]))
    return replace(part, notes=tuple(notes))


def _strength(note: Note) -> tuple[int, int, int]:
    """Return how much a note is missed: its place in the bar, then its length, then its onset."""
    place = next(
        rank for rank, steps in enumerate((32, 16, 8, STEPS_PER_BEAT, 1)) if note.onset % steps == 0
    )
    return (-place, note.duration, note.onset)


def _without(notes: Sequence[Note], left_out: set[int]) -> list[Note]:
    """Return the notes but those at some indices; the note before each holds on to its end."""
    kept: list[Note] = []
    for index, note in enumerate(notes):
        if index not in left_out:
            kept.append(note)
        elif kept and kept[-1].offset < note.offset:
            kept[-1] = replace(kept[-1], duration=note.offset - kept[-1].onset)
    return kept
