"""Held tones that rub against the melody give way: a pad a semitone under a long note is no rest.

The melody is the composer's, and the chords are shared; where a note of the melody and one of the
accompaniment stand a semitone or a minor ninth apart for a beat or longer, the accompaniment's is
cut to its longer part that is clear of it, or left out. Shorter meetings pass by and stay: they are
what makes a line move. A major seventh is a colour that jazz and song rest on; it stays too.
"""

from collections.abc import Sequence

from generator.engine.composers.accompaniment import PartNote
from generator.engine.composers.guards import MelodyNote
from generator.engine.metrics.consonance import RUBS
from generator.engine.score.notes import Role

# On the composing grid, whose places are eighths: a beat.
_HELD = 2
# What is left of a chord's tone is worth its attack from here on.
_LEAST = {Role.PAD: 4, Role.INNER: 2, Role.BASS: 4}


def without_rubs(melody: Sequence[MelodyNote], accompaniment: Sequence[PartNote]) -> list[PartNote]:
    """Return the accompaniment without tones that rub against the melody for a beat or longer.

    Parameters
    ----------
    melody : sequence of MelodyNote
        In order of onset, as it sounds (tied).
    accompaniment : sequence of PartNote
        On the same grid and in the same key.
    """
    kept, first = [], 0
    for note in sorted(accompaniment):
        while first < len(melody) and melody[first].onset + melody[first].duration <= note.onset:
            first += 1
        clear = _clear_part(note, melody[first:])
        if clear is not None:
            kept.append(clear)
    return kept


def _clear_part(note: PartNote, melody: Sequence[MelodyNote]) -> PartNote | None:
    """Return the longest part of a note that no melody note rubs against; None if it is short."""
    start, end = note.onset, note.onset + note.duration
    edges = [start]
    for other in melody:
        if other.onset >= end:
            break
        begins, ends = max(other.onset, start), min(other.onset + other.duration, end)
        if abs(other.pitch - note.pitch) in RUBS and ends - begins >= _HELD:
            edges += [begins, ends]
    edges.append(end)
    if len(edges) == 2:
        return note
    parts = list(zip(edges[::2], edges[1::2], strict=True))
    start, end = max(parts, key=lambda part: part[1] - part[0])
    if end - start < _LEAST[note.role]:
        return None
    return PartNote(start, note.pitch, end - start, note.role)
