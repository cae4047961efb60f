"""One MIDI file as pieces of note events, or the reason why not.

Times come from, in this order: an annotation of beats, the file's own ticks where notes lie on
sixteenths of them, beats that were found with confidence.

Deviations from Li (2025), section 4.1
--------------------------------------
1. Pieces are moved to a tonic of C instead of being augmented by transposition: one copy of each
   piece teaches every key.
2. Pitches and durations stay categories; they are not normalised to zero mean and unit variance.
3. Where the metre changes, the piece is cut: bars never straddle a change.
"""

import logging
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import symusic

from generator.engine.errors import ScoreError
from generator.engine.score.clock import ticks_to_steps
from generator.engine.score.scales import estimate_key
from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.quantisation import close_gaps, duration_bins, velocity_bins
from generator.engine.tokens.tokenisation import transposition_to_c
from generator.engine.tokens.vocabulary import METRES, N_PITCHES, PITCH_LOWEST, SIZES, Metre
from generator.engine.training.beats import Beats, find_beats, read_beats
from generator.engine.training.corpus import Piece, Source

logger = logging.getLogger(__name__)

MIN_NOTES = 40
MAX_FILE_BYTES = 5_000_000
MAX_NOTES = 50_000
SHORTEST_S, LONGEST_S = 30.0, 600.0
_OFF_GRID_PERCENT, _OFF_GRID_SHARE = 20, 0.35
_TAKING_TURNS = 0.95
_MELODY, _INNER, _BASS = 0, 1, 2
_QUARTERS = 4
_PARTS_OF_CYCLES = (Metre(16, 4), Metre(24, 4))


@dataclass(frozen=True)
class FileFacts:
    """What Li's Table 2 asks of a file."""

    n_notes: int
    duration_s: float
    time_signature: str
    tempo_bpm: float
    pitch_lowest: int
    pitch_highest: int
    texture: str


@dataclass(frozen=True)
class ReadFile:
    """What came of one file: pieces, or none and the reason; facts wherever it could be parsed."""

    pieces: list[Piece] = field(default_factory=list)
    reason: str = ""
    facts: FileFacts | None = None


def unfit(path: Path) -> str:
    """Return why a path must not be opened as MIDI; empty where it may be.

    A pipe would be waited for, a device read without end.
    """
    try:
        found = path.stat()
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    if not stat.S_ISREG(found.st_mode):
        return "not a file"
    return "file larger than 5 MB" if found.st_size > MAX_FILE_BYTES else ""


def read_file(source: Source, *, any_length: bool = True) -> ReadFile:
    """Return the pieces of one file, or none and the reason.

    Parameters
    ----------
    source : Source
    any_length : bool
        Whether pieces outside 30-600 s are welcome; the paper's rule drops them.
    """
    reason = unfit(source.path)
    if reason:
        return ReadFile(reason=reason)
    try:
        midi = symusic.Score(source.path)
        if not MIN_NOTES <= midi.note_num() <= MAX_NOTES:
            return ReadFile(reason="too few or too many notes")
        facts = facts_of(midi)
    except (OSError, ValueError, RuntimeError) as error:
        logger.warning("%s skipped: %s", source.path.name, error)
        return ReadFile(reason="not readable as MIDI")
    if not any_length and not SHORTEST_S <= facts.duration_s <= LONGEST_S:
        return ReadFile(reason="shorter than 30 s or longer than 600 s", facts=facts)
    try:
        pieces, reason = _pieces_of(midi, source)
    except ScoreError as error:
        logger.warning("%s skipped: %s", source.path.name, error)
        return ReadFile(reason="beats that cannot be used", facts=facts)
    return ReadFile(pieces, "" if pieces else reason, facts)


def facts_of(midi: symusic.Score) -> FileFacts:
    """Return what a statistics table asks of a parsed file; nominal values where it is nominal."""
    seconds = midi.to("second")
    pitches = np.concatenate([t.notes.numpy()["pitch"] for t in midi.tracks if len(t.notes)])
    signature = midi.time_signatures[0] if len(midi.time_signatures) else None
    return FileFacts(
        len(pitches),
        float(seconds.end()),
        f"{signature.numerator}/{signature.denominator}" if signature else "none",
        float(midi.tempos[0].qpm) if len(midi.tempos) else float("nan"),
        int(pitches.min()),
        int(pitches.max()),
        _texture(midi),
    )


def _texture(midi: symusic.Score) -> str:
    tracks = [track for track in midi.tracks if len(track.notes)]
    if all(track.is_drum for track in tracks):
        return "drums"
    programs = {track.program for track in tracks if not track.is_drum}
    if len(tracks) > 2 or len(programs) > 1:
        return "multi-track"
    columns = [track.notes.numpy() for track in tracks]
    onsets = np.concatenate([column["time"] for column in columns])
    middles = onsets + np.concatenate([column["duration"] for column in columns]) // 2
    order = np.argsort(onsets, kind="stable")
    # No two notes of a performance begin together, but those of one voice take turns.
    if np.mean(onsets[order][1:] >= middles[order][:-1]) > _TAKING_TURNS:
        return "monophonic"
    return "solo keyboard" if max(programs, default=99) < 8 else "solo"


def _pieces_of(midi: symusic.Score, source: Source) -> tuple[list[Piece], str]:
    notes = _merged_notes(midi)
    if len(notes) < MIN_NOTES:
        return [], "too few or too many notes"
    if source.beats is not None:
        stretches = _stretch_between_beats(midi, read_beats(source.beats))
    elif source.performed and np.mean(notes[:, 5] > _OFF_GRID_PERCENT) > _OFF_GRID_SHARE:
        beats, confidence = find_beats(_onsets_s(midi))
        if beats is None:
            logger.info("%s: beats with confidence %.2f", source.path.name, confidence)
            return [], "no beat could be found"
        stretches = _stretch_between_beats(midi, beats)
    else:
        stretches = _stretches(midi, notes)
    found = (_piece_of(rows, metre, source, i) for i, (rows, metre) in enumerate(stretches))
    return [p for p in found if p is not None], "no stretch of 40 notes in a known metre"


def _onsets_s(midi: symusic.Score) -> np.ndarray:
    seconds = midi.to("second")
    tracks = (track for track in seconds.tracks if not track.is_drum and len(track.notes))
    return np.sort(np.concatenate([track.notes.numpy()["time"] for track in tracks]))


def _stretch_between_beats(midi: symusic.Score, beats: Beats) -> Iterator[tuple[np.ndarray, Metre]]:
    """Yield the notes from the first downbeat on, laid on sixteenths between beats."""
    seconds = midi.to("second")
    rows = []
    for number, track in enumerate(t for t in seconds.tracks if not t.is_drum and len(t.notes)):
        columns = track.notes.numpy()
        starts = columns["time"].astype(float)
        onset = beats.steps_at(starts)
        end = np.maximum(beats.steps_at(starts + columns["duration"]), onset + 1)
        fixed = (columns["pitch"].astype(np.int64), columns["velocity"].astype(np.int64))
        rows.append(np.column_stack([onset, end, *fixed, np.full(len(onset), number), 0 * onset]))
    notes = np.concatenate(rows)
    notes = notes[notes[:, 0] >= 0]
    if len(notes) >= MIN_NOTES:
        yield notes[np.lexsort((notes[:, 2], notes[:, 0]))], beats.metre


def _merged_notes(midi: symusic.Score) -> np.ndarray:
    """Return rows (onset, end, pitch, velocity, track, tick error) in steps, sorted."""
    rows = []
    for number, track in enumerate(t for t in midi.tracks if not t.is_drum and len(t.notes)):
        columns = track.notes.numpy()
        ticks = columns["time"].astype(np.int64)
        onset = ticks_to_steps(ticks, midi.tpq)
        end = ticks_to_steps(ticks + columns["duration"], midi.tpq)
        error = np.abs(ticks * 4 - onset * midi.tpq) * 100 // midi.tpq
        rows.append(
            np.column_stack(
                [
                    onset,
                    np.maximum(end, onset + 1),
                    columns["pitch"].astype(np.int64),
                    columns["velocity"].astype(np.int64),
                    np.full(len(ticks), number),
                    error,
                ]
            )
        )
    if not rows:
        return np.zeros((0, 6), dtype=np.int64)
    notes = np.concatenate(rows)
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]


def _stretches(midi: symusic.Score, notes: np.ndarray) -> Iterator[tuple[np.ndarray, Metre]]:
    """Yield the notes of each stretch between changes of metre, counted from its first bar line."""
    marks = {0: Metre(16, 4)}
    for mark in midi.time_signatures:
        step = int(ticks_to_steps(np.array([mark.time]), midi.tpq)[0])
        marks[step] = _metre_of(mark.numerator, mark.denominator)
    changes: list[tuple[int, Metre]] = []
    for step, metre in sorted(marks.items()):
        if not changes or changes[-1][1] != metre:
            changes.append((step, metre))
    ends = [step for step, _ in changes[1:]] + [int(notes[-1, 0]) + 1]
    for (start, metre), end in zip(changes, ends, strict=True):
        inside = notes[(notes[:, 0] >= start) & (notes[:, 0] < end)].copy()
        if metre not in METRES or len(inside) < MIN_NOTES:
            continue
        if np.mean(inside[:, 5] > _OFF_GRID_PERCENT) > _OFF_GRID_SHARE:
            continue
        inside[:, :2] -= start
        yield inside, metre


def _metre_of(numerator: int, denominator: int) -> Metre:
    """Return the metre of a time signature; a long cycle of quarters is read as several bars.

    A tala of 16 matras is written 16/4 and heard as four bars of 4/4, one of 12 as two of 6/4. What
    is not made of such parts (10 = 2 + 3 + 2 + 3) stays as it is, and is no known metre.
    """
    if not denominator:
        # A file may ask for notes of 2 ** -255; its parser says 0.
        return Metre(0, 4)
    compound = denominator >= 8 and numerator % 3 == 0
    metre = Metre(numerator * 16 // denominator, 6 if compound else 4)
    if denominator == _QUARTERS and metre.steps > max(_PARTS_OF_CYCLES).steps:
        parts = [part for part in _PARTS_OF_CYCLES if metre.steps % part.steps == 0]
        return max(parts, default=metre)
    return metre


def _piece_of(notes: np.ndarray, metre: Metre, source: Source, number: int) -> Piece | None:
    sounding = np.bincount(notes[:, 2] % 12, weights=notes[:, 1] - notes[:, 0], minlength=12)
    tonic, mode = estimate_key(sounding)
    events = _events_of(notes, metre, transposition_to_c(tonic))
    if len(events) < MIN_NOTES:
        return None
    predicted, match = copy_predictions(events)
    return Piece(
        f"{source.path.stem}#{number}",
        source.style,
        source.split,
        metre,
        mode,
        source.tempo_bpm,
        events,
        predicted,
        match,
        source.calm,
    )


def _events_of(notes: np.ndarray, metre: Metre, transposition: int) -> np.ndarray:
    """Return the note events of sorted notes, uint8, shape (n, 5)."""
    notes = _without_doublings(notes)
    onsets = close_gaps(notes[:, 0], metre.steps)
    onsets -= onsets[0] // metre.steps * metre.steps
    pitches = notes[:, 2] + transposition - PITCH_LOWEST
    events = np.column_stack(
        [
            np.diff(onsets, prepend=0),
            _roles_of(notes),
            pitches,
            duration_bins(notes[:, 1] - notes[:, 0]),
            velocity_bins(notes[:, 3]),
        ]
    )
    # A note off the piano takes its shift along; the next note keeps its place in the bar.
    off_piano = (pitches < 0) | (pitches >= N_PITCHES)
    if off_piano.any():
        events, onsets = events[~off_piano], onsets[~off_piano]
        events[:, 0] = np.minimum(np.diff(onsets, prepend=0), SIZES[0] - 1)
    return events.astype(np.uint8)


def _without_doublings(notes: np.ndarray) -> np.ndarray:
    """Return the notes without a second note on the same onset and pitch.

    The first track's stays, or a melody that an accompaniment doubles would lose notes to it; of
    the others the longer one.
    """
    follows = notes[:, 4] > notes[:, 4].min()
    order = np.lexsort((notes[:, 0] - notes[:, 1], follows, notes[:, 2], notes[:, 0]))
    notes = notes[order]
    same = (np.diff(notes[:, 0]) == 0) & (np.diff(notes[:, 2]) == 0)
    return notes[np.concatenate([[True], ~same])]


def _roles_of(notes: np.ndarray) -> np.ndarray:
    """Return melody, inner or bass for each note.

    A first track that is a single line (a voice, a lead) is the melody; elsewhere the melody is the
    note that nothing sounding at its onset lies above, the bass the one that nothing lies below.
    """
    roles = np.full(len(notes), _INNER)
    lead = notes[:, 4] == notes[:, 4].min()
    onsets_of_lead = notes[lead, 0]
    is_single_line = (~lead).any() and len(np.unique(onsets_of_lead)) >= 0.95 * len(onsets_of_lead)
    active: list[tuple[int, int]] = []
    start = 0
    while start < len(notes):
        onset = int(notes[start, 0])
        stop = start + int(np.searchsorted(notes[start:, 0], onset, side="right"))
        active = [(end, pitch) for end, pitch in active if end > onset]
        low = min((pitch for _, pitch in active), default=127)
        high = max((pitch for _, pitch in active), default=0)
        if notes[start, 2] <= low and notes[start, 2] < 62:
            roles[start] = _BASS
        if notes[stop - 1, 2] >= high and notes[stop - 1, 2] >= 55:
            roles[stop - 1] = _MELODY
        active.extend((int(end), int(pitch)) for end, pitch in notes[start:stop, 1:3])
        start = stop
    if is_single_line:
        roles[(roles == _MELODY) & ~lead] = _INNER
        roles[lead] = _MELODY
    return roles
