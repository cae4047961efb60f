"""Import: a collection of MIDI files into a store, file by file, without filling memory.

Left out, each with its reason: what cannot be parsed, what breaks the limits of `reading`, pieces
outside 30-600 s, the same file again, and the same music again: a piece most of whose melody (runs
of ten notes, moved to one key) an earlier piece has.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from generator.engine.brief import Style
from generator.engine.metrics.originality import melody_pairs, run_rows
from generator.engine.networks.backoff import absorbed, blank_state
from generator.engine.tokens.vocabulary import PITCH_LOWEST
from generator.engine.training.corpus import Piece, Source
from generator.engine.training.reading import unfit
from generator.engine.training.sandbox import Sandbox
from generator.engine.training.sources import drawn_split, list_sources
from generator.engine.training.store import StoreWriter

SAME_MUSIC_SHARE = 0.6
_RUN_PAIRS = 9
# One run in eight is remembered: enough to know a piece by, and ten thousand pieces fit.
_SAMPLED = np.uint64(8)
_FEWEST_SAMPLES = 4
_MELODY = 0


class Acquaintances:
    """Knows files by their bytes and pieces by their melody."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._runs: dict[int, int] = {}
        self._names: list[str] = []

    def same_file(self, sha1: str, name: str) -> str:
        """Return the earlier file with the same bytes, if any; remember this one."""
        first = self._files.setdefault(sha1, name)
        return "" if first == name else first

    def same_music(self, piece: Piece, work: str) -> str:
        """Return the earlier piece that this one repeats, if any; remember it otherwise.

        Versions of one work are welcome.
        """
        runs = melody_samples(piece)
        known = Counter(self._runs[run] for run in runs if run in self._runs)
        if len(runs) >= _FEWEST_SAMPLES and known:
            number, count = known.most_common(1)[0]
            if count >= SAME_MUSIC_SHARE * len(runs) and self._names[number] != work:
                return self._names[number]
        self._names.append(work)
        for run in runs:
            self._runs.setdefault(run, len(self._names) - 1)
        return ""


def melody_samples(piece: Piece) -> list[int]:
    """Return hashes of a fixed eighth of the ten-note runs of a melody."""
    rows = piece.role(_MELODY).astype(np.int64)
    rows = rows[np.diff(rows[:, 0], prepend=-1) > 0]
    runs = run_rows(melody_pairs(rows[:, 0], rows[:, 1] + PITCH_LOWEST), _RUN_PAIRS)
    state = blank_state(len(runs))
    for column in runs.T:
        state = absorbed(state, column)
    return np.unique(state[state % _SAMPLED == 0]).tolist()


def import_collection(
    directory: Path,
    out: Path,
    *,
    name: str,
    style: Style,
    licence: str,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    sandbox: Sandbox | None = None,
) -> StoreWriter:
    """Read a collection into a store; return the writer, which knows what was left out.

    Parameters
    ----------
    directory, out : Path
    name, licence : str
        Kept with the store as provenance.
    style : Style
        Of files whose collection names none.
    progress : callable
        Told how many files of how many are done.
    sandbox : Sandbox, optional
        Limits of the process that parses.
    """
    sources = list_sources(directory, style)
    about = {"name": name, "licence": licence, "style": style.value, "source": directory.name}
    known = Acquaintances()
    with StoreWriter(out, about) as writer, sandbox or Sandbox() as child:
        for number, source in enumerate(sources, start=1):
            _take(source, directory, writer, known, child)
            progress(number, len(sources))
    return writer


def _take(
    source: Source, directory: Path, writer: StoreWriter, known: Acquaintances, child: Sandbox
) -> None:
    file = source.path.relative_to(directory).as_posix()
    reason = unfit(source.path)
    if reason:
        writer.drop(file, reason)
        return
    try:
        sha1 = hashlib.sha1(source.path.read_bytes(), usedforsecurity=False).hexdigest()
    except OSError as error:
        writer.drop(file, f"cannot be opened ({error.strerror})")
        return
    twin = known.same_file(sha1, file)
    if twin:
        writer.drop(file, "the same file", twin)
        return
    read = child.read(source)
    if read.reason:
        writer.drop(file, read.reason)
        return
    longest = max(read.pieces, key=lambda piece: len(piece.events))
    twin = known.same_music(longest, source.work or file)
    if twin:
        writer.drop(file, "the same music", twin)
        return
    split = source.split or drawn_split((source.work or sha1).encode())
    for piece in read.pieces:
        piece.split = split
    writer.add(file, sha1, read.facts, read.pieces)
