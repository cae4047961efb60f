import csv
import json
import multiprocessing
import os

import numpy as np
import pytest

from generator.engine.brief import Style
from generator.engine.errors import SandboxError, ScoreError
from generator.engine.score.midi import write_midi
from generator.engine.training import sandbox
from generator.engine.training.collecting import import_collection, melody_samples
from generator.engine.training.importing import read_corpus
from generator.engine.training.sandbox import Sandbox
from generator.engine.training.sources import list_sources
from generator.engine.training.store import ABOUT, read_store
from tests.generator.engine.training.conftest import tune

# A header, and one track whose only event waits 268,435,455 ticks: 37 bytes that ask for gigabytes
# of anything that counts ticks.
TICK_BOMB = (
    b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x01MTrk\x00\x00\x00\x0f"
    b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x00\x00\xff\x2f\x00"
)


def many_notes(n):
    body = b"".join(b"\x01\x90" + bytes([40 + i % 40, 64]) for i in range(n)) + b"\x00\xff\x2f\x00"
    head = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60"
    return head + b"MTrk" + len(body).to_bytes(4, "big") + body


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    directory = tmp_path_factory.mktemp("collection")
    for seed in range(6):
        write_midi(tune(seed, n_bars=40), directory / f"tune-{seed}.mid")
    (directory / "twin.mid").write_bytes((directory / "tune-0.mid").read_bytes())
    write_midi(tune(1, tonic=3, n_bars=40), directory / "zz-transposed.mid")
    write_midi(tune(9, n_bars=10), directory / "short.mid")
    (directory / "bomb.mid").write_bytes(TICK_BOMB)
    (directory / "empty.mid").write_bytes(b"")
    (directory / "flood.mid").write_bytes(many_notes(1_000_000))
    (directory / "nonsense.mid").write_bytes(b"MThd nonsense")
    (directory / "folder.mid").mkdir()
    (directory / "gone.mid").symlink_to(directory / "nowhere.mid")
    (directory / "endless.mid").symlink_to("/dev/zero")
    os.mkfifo(directory / "pipe.mid")
    write_midi(tune(8, n_bars=40), directory / "beats-of-two-to-the-minus-255.mid")
    _with_denominator(directory / "beats-of-two-to-the-minus-255.mid", 255)
    (directory / os.fsdecode(b"caf\xe9.mid")).write_bytes(b"MThd")
    return directory


def _with_denominator(path, power):
    head, mark, tail = path.read_bytes().partition(b"\xff\x58\x04\x04")
    assert mark
    path.write_bytes(head + mark + bytes([power]) + tail[1:])


@pytest.fixture(scope="module")
def store(collection, tmp_path_factory):
    out = tmp_path_factory.mktemp("store")
    done = []
    writer = import_collection(
        collection,
        out,
        name="Tunes",
        style=Style.FOLK,
        licence="CC0 1.0",
        progress=lambda n, of: done.append((n, of)),
    )
    assert done[-1] == (19, 19)
    assert writer.n_files == 19
    return out


def test_each_drop_is_listed_with_its_reason(store):
    with (store / "dropped.csv").open(newline="", encoding="utf-8") as lines:
        dropped = {row["file"]: row["reason"] for row in csv.DictReader(lines)}
    assert dropped == {
        "twin.mid": "the same file as tune-0.mid",
        "zz-transposed.mid": "the same music as tune-1.mid",
        "short.mid": "shorter than 30 s or longer than 600 s",
        "bomb.mid": "too few or too many notes",
        "empty.mid": "not readable as MIDI",
        "flood.mid": "too few or too many notes",
        "nonsense.mid": "not readable as MIDI",
        "folder.mid": "not a file",
        "gone.mid": "cannot be opened (No such file or directory)",
        "endless.mid": "not a file",
        "pipe.mid": "not a file",
        "beats-of-two-to-the-minus-255.mid": "no stretch of 40 notes in a known metre",
        "caf\\udce9.mid": "not readable as MIDI",
    }


def test_what_was_imported_is_read_back_as_it_was(store, collection):
    corpus = read_corpus(store)
    assert corpus.n_files == 19
    assert len(corpus.pieces) == 6
    direct = {piece.name: piece for piece in read_corpus(collection).pieces}
    for piece in corpus.pieces:
        assert piece.style is Style.FOLK
        assert np.array_equal(piece.events, direct[piece.name].events)
        assert np.array_equal(piece.predicted, direct[piece.name].predicted)
        assert np.array_equal(piece.match, direct[piece.name].match)
        assert piece.metre == direct[piece.name].metre
        assert piece.split == direct[piece.name].split


def test_provenance_stays_with_the_corpus(store):
    about = json.loads((store / ABOUT).read_text(encoding="utf-8"))
    assert about["name"] == "Tunes"
    assert about["licence"] == "CC0 1.0"
    assert about["pieces"] == 6
    with (store / "files.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert all(len(row["sha1"]) == 40 for row in rows)
    assert rows[0]["time_signature"] == "4/4"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocabulary": "0"}, "Import it again"),
        ({"events": 1}, "Import it again"),
        (None, "Import it again"),
    ],
)
def test_a_damaged_store_is_a_named_error(store, tmp_path, change, message):
    for path in store.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    about = json.loads((store / ABOUT).read_text(encoding="utf-8"))
    text = "{" if change is None else json.dumps(about | change)
    (tmp_path / ABOUT).write_text(text, encoding="utf-8")
    with pytest.raises(ScoreError, match=message):
        read_store(tmp_path)


def test_a_file_that_takes_too_long_is_left_out_and_the_next_is_read(collection):
    sources = {source.path.name: source for source in list_sources(collection)}
    with Sandbox(seconds_a_file=0.0) as child:
        assert child.read(sources["tune-0.mid"]).reason == "took too long to read"
        child._seconds = 60.0
        assert len(child.read(sources["tune-1.mid"]).pieces) == 1


def test_a_child_without_memory_loses_the_file_not_the_import(collection):
    # Four megabytes fit nowhere in a process that may not grow; a small file may.
    source = next(s for s in list_sources(collection) if s.path.name == "flood.mid")
    with Sandbox(memory_bytes=32 * 1024**2) as child:
        reason = child.read(source).reason
    assert reason in ("needs too much memory", "ended the process that read it")


def test_a_transposed_melody_has_the_same_fingerprint(collection):
    pieces = {piece.name: piece for piece in read_corpus(collection).pieces}
    same = melody_samples(pieces["tune-1#0"])
    assert len(same) >= 4
    assert same == melody_samples(pieces["zz-transposed#0"])
    assert not set(same) & set(melody_samples(pieces["tune-2#0"]))


def test_a_child_that_cannot_be_started_is_a_named_error(collection, monkeypatch):
    def refuse(_process):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    source = list_sources(collection)[0]
    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refuse)
    with Sandbox() as child, pytest.raises(SandboxError, match="temporarily unavailable"):
        child.read(source)


def test_a_child_that_dies_before_it_answers_is_a_named_error(collection, monkeypatch):
    source = list_sources(collection)[0]
    # Something that a child finds by name, takes two arguments and returns.
    monkeypatch.setattr(sandbox, "_serve", slice)
    with Sandbox() as child, pytest.raises(SandboxError, match="never answered"):
        child.read(source)
