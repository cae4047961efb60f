"""A directory of MIDI files as note events, ready to learn from.

With a ``manifest.csv`` (file, ship_class, split, style, ...) only class A files are read and the
manifest's split is obeyed; without one, every MIDI file below the directory is read and the
split is drawn by the hash of the file's content, 80/10/10, so that it never changes.

Deviations from Li (2025), section 4.1
--------------------------------------
1. Pieces are moved to a tonic of C instead of being augmented by transposition: one copy of each
   piece teaches every key.
2. Pitches and durations stay categories; they are not normalised to zero mean and unit variance.
3. Where the metre changes, the piece is cut: bars never straddle a change.
"""

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import symusic

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.score.clock import ticks_to_steps
from generator.engine.score.scales import estimate_key
from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.quantisation import close_gaps, duration_bins, velocity_bins
from generator.engine.tokens.tokenisation import transposition_to_c
from generator.engine.tokens.vocabulary import METRES, N_PITCHES, PITCH_LOWEST, SIZES, Metre

logger = logging.getLogger(__name__)

SPLITS = ("train", "valid", "test")
STYLE_OF = {
    "classical_piano": Style.CLASSICAL,
    "classical_organ": Style.CLASSICAL,
    "art_song": Style.SONG,
    "pop": Style.SONG,
    "stage": Style.SONG,
    "rock": Style.SONG,
    "classical_guitar": Style.GUITAR,
    "folk": Style.FOLK,
    "japanese_folk": Style.FOLK,
    "jazz": Style.JAZZ,
    "ragtime_jazz": Style.JAZZ,
}
MIN_NOTES = 40
MAX_FILE_BYTES = 5_000_000
MAX_NOTES = 50_000
_MELODY, _INNER, _BASS = 0, 1, 2


@dataclass
class Piece:
    """One stretch of music in one metre.

    `events` uint8 (n, 5); `predicted` and `match` as `copy_predictions` gives them; `tempo_bpm` is
    NaN where the source states no tempo.
    """

    name: str
    style: Style
    split: str
    metre: Metre
    mode: str
    tempo_bpm: float
    events: np.ndarray
    predicted: np.ndarray
    match: np.ndarray
    calm: bool = False

    @property
    def onsets(self) -> np.ndarray:
        """The onset of each event in steps."""
        return np.cumsum(self.events[:, 0], dtype=np.int64)

    def role(self, index: int) -> np.ndarray:
        """Return (onset, pitch, duration bin) rows of one role."""
        chosen = self.events[:, 1] == index
        return np.column_stack([self.onsets, self.events[:, 2], self.events[:, 3]])[chosen]


@dataclass
class Corpus:
    """All pieces that could be read, and how many files could not, by reason."""

    pieces: list[Piece]
    dropped: Counter[str] = field(default_factory=Counter)
    n_files: int = 0

    def split(self, name: str) -> list[Piece]:
        """Return the pieces of one split: train, valid or test."""
        return [piece for piece in self.pieces if piece.split == name]


@dataclass(frozen=True)
class Source:
    """One file to read, with what the manifest (or its absence) says of it."""

    path: Path
    style: Style
    split: str
    tempo_bpm: float
    calm: bool


def list_sources(directory: Path) -> list[Source]:
    """Return the files that may be learnt from.

    Raises
    ------
    ScoreError
        There is none.
    """
    manifest = directory / "manifest.csv"
    sources = list(_from_manifest(manifest) if manifest.exists() else _from_files(directory))
    if not sources:
        raise ScoreError(
            f"MIDI files to learn from were expected in {directory.name}, got none. Give a folder "
            "with .mid files, or a manifest.csv with ship_class A rows."
        )
    return sources


def read_corpus(directory: Path, *, workers: int = 1, limit: int | None = None) -> Corpus:
    """Return every piece of a directory of MIDI files; broken files are counted, not fatal.

    Parameters
    ----------
    directory : Path
    workers : int
        Processes that read at the same time.
    limit : int, optional
        Read only so many files, for a quick look.
    """
    sources = list_sources(directory)[:limit]
    corpus = Corpus([], n_files=len(sources))
    if workers == 1:
        results: Iterator = map(_read_source, sources)
        _collect(corpus, results)
    else:
        with ProcessPoolExecutor(workers) as pool:
            _collect(corpus, pool.map(_read_source, sources, chunksize=16))
    logger.info("read %d pieces from %d files", len(corpus.pieces), corpus.n_files)
    return corpus


def _collect(corpus: Corpus, results: Iterator) -> None:
    for pieces, reason in results:
        corpus.pieces.extend(pieces)
        if reason:
            corpus.dropped[reason] += 1


def _from_manifest(manifest: Path) -> Iterator[Source]:
    with manifest.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["ship_class"] != "A" or row["style"] not in STYLE_OF:
                continue
            stated = row.get("tempo_source") in ("file", "score") and row.get("tempo")
            yield Source(
                manifest.parent / row["file"],
                STYLE_OF[row["style"]],
                row["split"],
                float(row["tempo"]) if stated else float("nan"),
                row.get("calm") == "1",
            )


def _from_files(directory: Path) -> Iterator[Source]:
    for path in sorted([*directory.rglob("*.mid"), *directory.rglob("*.midi")]):
        digest = hashlib.sha256(path.read_bytes()).digest()
        split = "train" if digest[0] < 205 else "valid" if digest[0] < 230 else "test"
        yield Source(path, Style.CLASSICAL, split, float("nan"), calm=False)


def _read_source(source: Source) -> tuple[list[Piece], str]:
    """Return the pieces of one file, or none and the reason."""
    try:
        if source.path.stat().st_size > MAX_FILE_BYTES:
            return [], "file larger than 5 MB"
        midi = symusic.Score(source.path)
    except (OSError, ValueError, RuntimeError) as error:
        logger.warning("%s skipped: %s", source.path.name, error)
        return [], "not readable as MIDI"
    notes = _merged_notes(midi)
    if not MIN_NOTES <= len(notes) <= MAX_NOTES:
        return [], "too few or too many notes"
    pieces = []
    for number, (stretch, metre) in enumerate(_stretches(midi, notes)):
        piece = _piece_of(stretch, metre, source, number)
        if piece is not None:
            pieces.append(piece)
    return pieces, "" if pieces else "no stretch of 40 notes in a known metre"


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
        compound = mark.denominator >= 8 and mark.numerator % 3 == 0
        marks[step] = Metre(mark.numerator * 16 // mark.denominator, 6 if compound else 4)
    changes: list[tuple[int, Metre]] = []
    for step, metre in sorted(marks.items()):
        if not changes or changes[-1][1] != metre:
            changes.append((step, metre))
    ends = [step for step, _ in changes[1:]] + [int(notes[-1, 0]) + 1]
    for (start, metre), end in zip(changes, ends, strict=True):
        inside = notes[(notes[:, 0] >= start) & (notes[:, 0] < end)].copy()
        if metre not in METRES or len(inside) < MIN_NOTES:
            continue
        if np.mean(inside[:, 5] > 20) > 0.35:
            continue
        inside[:, :2] -= start
        yield inside, metre


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
    """Return the notes without a second note on the same onset and pitch (the longer one stays)."""
    order = np.lexsort((notes[:, 0] - notes[:, 1], notes[:, 2], notes[:, 0]))
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
