"""Scores as Standard MIDI files and back; what is written re-reads equal.

Each part is a track of its own, named after its role, so the melody can always be found. Tonic,
mode and bar length travel as key and time signature. Files that others made are read as far as they
make sense on the grid; what cannot be read is a `ScoreError`, never a crash.
"""

from pathlib import Path

import mido
import numpy as np
import pretty_midi

from generator.engine.errors import ScoreError
from generator.engine.score.clock import (
    TICKS_PER_BEAT,
    Clock,
    midi_tempo,
    steps_to_ticks,
    ticks_to_steps,
)
from generator.engine.score.notes import STEPS_PER_BEAT, Note, Part, Role, Score, TempoMark

MAX_FILE_BYTES = 5_000_000
MAX_NOTES = 200_000
_ROLE_OF_NAME = {role.value: role for role in Role}
# pretty_midi truncates microseconds a beat; a hair more keeps 909090.9999 at 909091.
_NUDGE = 1.0 + 1e-8
# What pretty_midi and mido raise on files that are cut off, lie about lengths, or hold nonsense.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    mido.KeySignatureError,
)


def write_midi(score: Score, path: Path) -> None:
    """Write the score as a MIDI file, type 1, 480 ticks a beat.

    Raises
    ------
    ScoreError
        A note sounds twice at the same time on one program, which no MIDI file can say.
    """
    _require_no_overlaps(score)
    midi = pretty_midi.PrettyMIDI(resolution=TICKS_PER_BEAT, initial_tempo=score.tempo[0].bpm)
    _set_tempo_map(midi, score)
    whole = score.steps_per_bar % STEPS_PER_BEAT == 0
    beats, unit = (score.steps_per_bar // STEPS_PER_BEAT, 4) if whole else (score.steps_per_bar, 16)
    midi.time_signature_changes = [pretty_midi.TimeSignature(beats, unit, 0.0)]
    key = score.tonic + (12 if score.mode == "minor" else 0)
    midi.key_signature_changes = [pretty_midi.KeySignature(key, 0.0)]
    clock = Clock(score.tempo)
    for part in score.parts:
        track = pretty_midi.Instrument(part.program, name=part.role.value)
        for note in part.notes:
            start, end = clock.seconds(note.onset), clock.seconds(note.offset)
            track.notes.append(pretty_midi.Note(note.velocity, note.pitch, start, end))
        midi.instruments.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    midi.write(str(path))


def read_midi(path: Path) -> Score:
    """Return the score in a MIDI file, its notes moved to the nearest step; drums are left out.

    A track takes the role its name says; else the first is the melody and the others inner parts.

    Raises
    ------
    ScoreError
        The file is missing, too large, not MIDI, damaged, or holds no notes.
    """
    midi = _opened(path)
    tracks = [track for track in midi.instruments if track.notes and not track.is_drum]
    if not tracks or sum(len(track.notes) for track in tracks) > MAX_NOTES:
        raise ScoreError(
            f"1 to {MAX_NOTES} notes were expected in {path.name}, got "
            f"{sum(len(track.notes) for track in tracks)}. Choose another file."
        )
    try:
        parts = tuple(_part(midi, track, index) for index, track in enumerate(tracks))
        tempo = _tempo_of(midi)
        steps_per_bar, tonic, mode = _signatures_of(midi)
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    return Score(parts, tempo, steps_per_bar, tonic, mode)


def _opened(path: Path) -> pretty_midi.PrettyMIDI:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ScoreError(
                f"a MIDI file of at most {MAX_FILE_BYTES} bytes was expected, got {path.name} with "
                f"{size}. Choose a shorter piece."
            )
        return pretty_midi.PrettyMIDI(str(path))
    except _UNREADABLE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ScoreError:
    return ScoreError(
        f"a readable MIDI file was expected, got {path.name} ({type(error).__name__}: {error}). "
        "Export the piece again from the program that made it."
    )


def _set_tempo_map(midi: pretty_midi.PrettyMIDI, score: Score) -> None:
    # pretty_midi has no public way to write more than one tempo; these two members are what its
    # own reader sets.
    midi._tick_scales = [
        (steps_to_ticks(mark.onset), 60.0 / (midi_tempo(mark.bpm) * TICKS_PER_BEAT) * _NUDGE)
        for mark in score.tempo
    ]
    midi._update_tick_to_time(steps_to_ticks(score.n_steps) + 1)


def _tempo_of(midi: pretty_midi.PrettyMIDI) -> tuple[TempoMark, ...]:
    marks: dict[int, float] = {}
    for tick, scale in midi._tick_scales:
        step = int(ticks_to_steps(np.array([tick]), midi.resolution)[0])
        marks[step] = midi_tempo(60.0 / (scale * midi.resolution))
    return tuple(TempoMark(step, bpm) for step, bpm in sorted(marks.items()))


def _signatures_of(midi: pretty_midi.PrettyMIDI) -> tuple[int, int, str]:
    steps_per_bar, tonic, mode = 16, 0, "major"
    if midi.time_signature_changes:
        first = midi.time_signature_changes[0]
        steps_per_bar = max(first.numerator * 16 // first.denominator, 1)
    if midi.key_signature_changes:
        key = midi.key_signature_changes[0].key_number
        tonic, mode = key % 12, "minor" if key >= 12 else "major"
    return steps_per_bar, tonic, mode


def _part(midi: pretty_midi.PrettyMIDI, track: pretty_midi.Instrument, index: int) -> Part:
    role = _ROLE_OF_NAME.get(track.name, Role.MELODY if index == 0 else Role.INNER)
    starts = ticks_to_steps(
        np.array([midi.time_to_tick(note.start) for note in track.notes]), midi.resolution
    )
    ends = ticks_to_steps(
        np.array([midi.time_to_tick(note.end) for note in track.notes]), midi.resolution
    )
    notes = sorted(
        Note(int(start), max(int(end - start), 1), note.pitch, note.velocity)
        for start, end, note in zip(starts, ends, track.notes, strict=True)
        if note.velocity > 0
    )
    return Part(role, int(track.program), tuple(sorted(notes, key=lambda n: (n.onset, n.pitch))))


def _require_no_overlaps(score: Score) -> None:
    for part in score.parts:
        sounding: dict[int, int] = {}
        for note in sorted(part.notes):
            if sounding.get(note.pitch, 0) > note.onset:
                raise ScoreError(
                    f"one note at a time on each pitch was expected in the {part.role} part, got "
                    f"pitch {note.pitch} again at step {note.onset} before it had ended. Shorten "
                    "the earlier note."
                )
            sounding[note.pitch] = note.offset
