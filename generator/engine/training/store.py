"""An imported corpus on disk: arrays end to end, one line of JSON a piece, provenance beside them.

``corpus.json``    name, licence, source, vocabulary, counts, drops by reason
``pieces.jsonl``   name, style, split, metre, mode, tempo, calm, and how many events
``events.bin``     uint8, five bytes an event; ``predicted.bin`` the same; ``match.bin`` one byte
``files.csv``      every file read: what it holds, its SHA-1
``dropped.csv``    every file left out, with the reason

Written as a stream: memory does not grow with the corpus. Read through memory maps.
"""

import csv
import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType

import numpy as np

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.tokens.vocabulary import Metre, vocabulary_hash
from generator.engine.training.corpus import Corpus, Piece
from generator.engine.training.reading import FileFacts

ABOUT, PIECES, FILES, DROPPED = "corpus.json", "pieces.jsonl", "files.csv", "dropped.csv"
_ARRAYS = {"events": 5, "predicted": 5, "match": 1}
_FACTS = tuple(field.name for field in fields(FileFacts))


def is_store(directory: Path) -> bool:
    """Return whether a folder holds an imported corpus."""
    return (directory / ABOUT).exists() and (directory / PIECES).exists()


class StoreWriter:
    """Writes pieces and drops as they come; `corpus.json` last, so that half a store is none."""

    def __init__(self, directory: Path, about: dict[str, str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._about = directory, about
        (directory / ABOUT).unlink(missing_ok=True)
        self.n_files, self.n_pieces, self.n_events = 0, 0, 0
        self.dropped: Counter[str] = Counter()

    def __enter__(self) -> "StoreWriter":
        self._open = ExitStack()
        enter = self._open.enter_context
        self._arrays = {
            name: enter((self._directory / f"{name}.bin").open("wb")) for name in _ARRAYS
        }
        self._pieces = enter((self._directory / PIECES).open("w", encoding="utf-8"))
        # A file's name may be in a code that is not UTF-8; what cannot be written is spelt out.
        spelt = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
        files, dropped = (
            enter((self._directory / name).open("w", **spelt)) for name in (FILES, DROPPED)
        )
        self._files, self._drops = csv.writer(files), csv.writer(dropped)
        self._files.writerow(["file", "sha1", "split", "style", *_FACTS])
        self._drops.writerow(["file", "reason"])
        return self

    def add(self, file: str, sha1: str, facts: FileFacts, pieces: list[Piece]) -> None:
        """Write the pieces of one file."""
        self.n_files += 1
        first = pieces[0]
        known = [file, sha1, first.split, first.style.value]
        self._files.writerow([*known, *asdict(facts).values()])
        for piece in pieces:
            for name in _ARRAYS:
                self._arrays[name].write(np.ascontiguousarray(getattr(piece, name)).tobytes())
            self._pieces.write(json.dumps(_described(piece)) + "\n")
            self.n_pieces += 1
            self.n_events += len(piece.events)

    def drop(self, file: str, reason: str, twin: str = "") -> None:
        """Write down that a file was left out, why, and in favour of which other one."""
        self.n_files += 1
        self.dropped[reason] += 1
        self._drops.writerow([file, f"{reason} as {twin}" if twin else reason])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._open.close()
        if kind is not None:
            return
        about = {
            **self._about,
            "vocabulary": vocabulary_hash(),
            "files": self.n_files,
            "pieces": self.n_pieces,
            "events": self.n_events,
            "dropped": dict(self.dropped),
        }
        text = json.dumps(about, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (self._directory / ABOUT).write_text(text, encoding="utf-8")


def read_store(directory: Path) -> Corpus:
    """Return an imported corpus.

    Raises
    ------
    ScoreError
        It is damaged, or was imported with another vocabulary.
    """
    try:
        about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        lines = (directory / PIECES).read_text(encoding="utf-8").splitlines()
        described = [json.loads(line) for line in lines]
        arrays = {name: _mapped(directory, name, about["events"]) for name in _ARRAYS}
        found = about["vocabulary"]
        counts = [piece.pop("n_events") for piece in described]
    except (OSError, ValueError, KeyError) as error:
        raise ScoreError(
            f"an imported corpus was expected in {directory.name}, got {error!r}. Import it again."
        ) from error
    if found != vocabulary_hash():
        raise ScoreError(
            f"a corpus of vocabulary {vocabulary_hash()} was expected in {directory.name}, got "
            f"{found}. Import it again."
        )
    if sum(counts) != about["events"]:
        raise ScoreError(
            f"{about['events']} events were expected in {directory.name}, got {sum(counts)}. "
            "Import it again."
        )
    starts = np.cumsum([0, *counts])
    pieces = []
    for row, start, count in zip(described, starts, counts, strict=False):
        row["style"], row["metre"] = Style(row["style"]), Metre(*row["metre"])
        own = {name: array[start : start + count] for name, array in arrays.items()}
        pieces.append(Piece(**row, **own))
    return Corpus(pieces, Counter(about["dropped"]), about["files"])


def _described(piece: Piece) -> dict:
    return {
        "name": piece.name,
        "style": piece.style.value,
        "split": piece.split,
        "metre": list(piece.metre),
        "mode": piece.mode,
        "tempo_bpm": piece.tempo_bpm,
        "calm": piece.calm,
        "n_events": len(piece.events),
    }


def _mapped(directory: Path, name: str, n_events: int) -> np.ndarray:
    width = _ARRAYS[name]
    shape = (n_events, width) if width > 1 else (n_events,)
    if not n_events:
        return np.zeros(shape, dtype=np.uint8)
    return np.memmap(directory / f"{name}.bin", dtype=np.uint8, mode="r", shape=shape)
