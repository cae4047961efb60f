"""The files of a collection: a manifest of ours, MAESTRO v3, Lakh, or any folder.

A collection's own split is obeyed. Where there is none the split is drawn by the hash of the work
(title and composer, a Lakh track) or else of the file's content, 80/10/10, so that it never changes
and versions of one work stay together.

Layouts
-------
manifest   ``manifest.csv`` with file, ship_class, style, split, tempo, tempo_source, calm; only
           class A is read, unless one collection (column corpus) is asked for by name: what is
           learnt from it is for measuring and does not ship
MAESTRO    ``maestro-v3.0.0.csv`` with canonical_composer, canonical_title, split, midi_filename
Lakh       ``<digit>/<md5>.mid`` (lmd_full), ``A/B/C/TR.../<md5>.mid`` (lmd_matched, lmd_aligned),
           or ``Artist/Title.1.mid`` (clean_midi)
"""

import csv
import hashlib
import math
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.training.corpus import SPLITS, Source
from generator.engine.training.reading import unfit

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
_MANIFEST = "manifest.csv"
_MAESTRO_SPLIT = {"train": "train", "validation": "valid", "test": "test"}
_UNKNOWN_TEMPO = float("nan")
_MD5 = re.compile(r"[0-9a-f]{32}$")
_TRACK = re.compile(r"TR[A-Z0-9]{16}$")
_VERSION = re.compile(r"\.\d+$")
_TRAIN_BELOW, _VALID_BELOW = 205, 230
_SUFFIXES = (".mid", ".midi")


def list_sources(
    directory: Path, style: Style = Style.CLASSICAL, collection: str = ""
) -> list[Source]:
    """Return the files that may be learnt from.

    Parameters
    ----------
    directory : Path
    style : Style
        Of files whose collection names none.
    collection : str
        Only this collection of a manifest, whatever its licence lets one ship.

    Raises
    ------
    ScoreError
        There is none, or a table of the collection cannot be read.
    """
    if collection:
        return _sources_of_collection(directory, style, collection)
    found = list(_reader_for(directory)(directory, style))
    if not found:
        raise ScoreError(
            f"MIDI files to learn from were expected in {directory.name}, got none. Give a folder "
            "with .mid files, or a manifest.csv with ship_class A rows."
        )
    return found


def drawn_split(key: bytes) -> str:
    """Return the split that the hash of a work or of a file's content falls into."""
    digit = hashlib.sha256(key).digest()[0]
    return "train" if digit < _TRAIN_BELOW else "valid" if digit < _VALID_BELOW else "test"


def _reader_for(directory: Path) -> Callable[[Path, Style], Iterator[Source]]:
    if (directory / _MANIFEST).exists():
        return _from_manifest
    if _maestro_table(directory) is not None:
        return _from_maestro
    return _from_files


def _from_manifest(directory: Path, _style: Style) -> Iterator[Source]:
    for row in _rows(directory / _MANIFEST, ("file", "ship_class", "style", "split")):
        if row["ship_class"] == "A" and row["style"] in STYLE_OF:
            yield _from_row(directory, row, STYLE_OF[row["style"]])


def _sources_of_collection(directory: Path, style: Style, collection: str) -> list[Source]:
    rows = list(_rows(directory / _MANIFEST, ("file", "corpus", "style", "split")))
    found = [
        _from_row(directory, row, STYLE_OF.get(row["style"], style))
        for row in rows
        if row["corpus"] == collection
    ]
    if not found:
        names = ", ".join(sorted({row["corpus"] for row in rows}))
        raise ScoreError(
            f"one of the collections {names} was expected, got {collection!r}. Name one of them."
        )
    return found


def _from_row(directory: Path, row: dict[str, str], style: Style) -> Source:
    path = _inside(directory, row["file"])
    if row["split"] not in SPLITS:
        raise ScoreError(
            f"one of the splits {', '.join(SPLITS)} was expected for {row['file']}, got "
            f"{row['split']!r}. Correct the manifest."
        )
    return Source(
        path,
        style,
        row["split"],
        _stated_tempo(row),
        row.get("calm") == "1",
        row.get("cluster") or "",
        beats_beside(path),
        performed=row.get("tempo_source") == "performance",
    )


def _stated_tempo(row: dict[str, str]) -> float:
    if row.get("tempo_source") not in ("file", "score") or not row.get("tempo"):
        return _UNKNOWN_TEMPO
    try:
        tempo_bpm = float(row["tempo"])
    except ValueError:
        tempo_bpm = _UNKNOWN_TEMPO
    if not (math.isfinite(tempo_bpm) and tempo_bpm > 0):
        raise ScoreError(
            f"a tempo in quarter notes a minute was expected for {row['file']}, got "
            f"{row['tempo']!r}. Correct the manifest."
        )
    return tempo_bpm


def _inside(directory: Path, name: str) -> Path:
    """Return the path of a file that a table names, which may lie nowhere else."""
    path = directory / name
    if not path.is_relative_to(directory) or ".." in Path(name).parts:
        raise ScoreError(
            f"a file inside {directory.name} was expected, got {name!r}. Correct the table of the "
            "collection."
        )
    return path


def _maestro_table(directory: Path) -> Path | None:
    return next(iter(sorted(directory.glob("maestro-v*.csv"))), None)


def _from_maestro(directory: Path, style: Style) -> Iterator[Source]:
    table = _maestro_table(directory)
    wanted = ("canonical_composer", "canonical_title", "split", "midi_filename")
    for row in _rows(table, wanted):
        work = f"{row['canonical_composer']} / {row['canonical_title']}"
        split = _MAESTRO_SPLIT.get(row["split"], "")
        path = _inside(directory, row["midi_filename"])
        yield Source(path, style, split, _UNKNOWN_TEMPO, False, work, beats_beside(path), True)


def _from_files(directory: Path, style: Style) -> Iterator[Source]:
    paths = (path for path in directory.rglob("*") if path.suffix.lower() in _SUFFIXES)
    for path in sorted(paths):
        work = _lakh_work(path.relative_to(directory))
        split = drawn_split(os.fsencode(work) if work else _content(path))
        yield Source(path, style, split, _UNKNOWN_TEMPO, False, work, beats_beside(path), True)


def _content(path: Path) -> bytes:
    """Return the content of a file; the name of one that is left out anyway."""
    try:
        return os.fsencode(path.name) if unfit(path) else path.read_bytes()
    except OSError:
        return os.fsencode(path.name)


def _lakh_work(path: Path) -> str:
    """Return the track or song that a path of the Lakh collections names; empty elsewhere."""
    if _MD5.match(path.stem):
        return path.parent.name if _TRACK.match(path.parent.name) else ""
    if _VERSION.search(path.stem):
        return f"{path.parent.name} / {_VERSION.sub('', path.stem)}"
    return ""


def beats_beside(path: Path) -> Path | None:
    """Return the annotation of beats that lies beside a MIDI file (ASAP, POP909), if any."""
    for folder in (path.parent, path.parent / "annotations"):
        for name in (f"{path.stem}_annotations.txt", f"{path.stem}__beat_midi.txt"):
            if (folder / name).exists():
                return folder / name
    alone = path.parent / "beat_midi.txt"
    return alone if alone.exists() and path.parent.name == path.stem else None


def _rows(table: Path, wanted: tuple[str, ...]) -> Iterator[dict[str, str]]:
    if not table.exists():
        raise ScoreError(
            f"{table.name} was expected in {table.parent.name}, got none. Give a collection with "
            "its table."
        )
    try:
        # A spreadsheet puts a mark of its own before the first column.
        with table.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = set(wanted) - set(reader.fieldnames or ())
            if missing:
                raise ScoreError(
                    f"columns {', '.join(wanted)} were expected in {table.name}, got no "
                    f"{', '.join(sorted(missing))}. Take the table as it was published."
                )
            for row in reader:
                _require_cells(table, reader.line_num, row, wanted)
                yield row
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise ScoreError(
            f"a table of comma-separated values in UTF-8 was expected in {table.name}, got "
            f"{error}. Take the table as it was published."
        ) from error


def _require_cells(table: Path, line: int, row: dict[str, str], wanted: tuple[str, ...]) -> None:
    empty = [name for name in wanted if row[name] is None]
    if empty:
        raise ScoreError(
            f"columns {', '.join(wanted)} were expected in line {line} of {table.name}, got no "
            f"{', '.join(empty)}. Take the table as it was published."
        )
