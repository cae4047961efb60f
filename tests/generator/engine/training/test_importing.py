from dataclasses import replace
from itertools import pairwise

import numpy as np
import pretty_midi
import pytest

from generator.engine.brief import Style
from generator.engine.errors import ScoreError
from generator.engine.score.midi import write_midi
from generator.engine.tokens.vocabulary import DURATION_STEPS, METRES, PITCH_LOWEST, SIZES
from generator.engine.training.importing import read_corpus
from generator.engine.training.reading import read_file
from generator.engine.training.sources import list_sources
from tests.generator.engine.training.conftest import N_TUNES, tune


def test_every_tune_becomes_one_piece(midi_directory):
    corpus = read_corpus(midi_directory)
    assert len(corpus.pieces) == corpus.n_files == N_TUNES
    assert not corpus.dropped


def test_events_say_what_the_file_says(tmp_path):
    score = tune(3)
    write_midi(score, tmp_path / "tune.mid")
    (piece,) = read_corpus(tmp_path).pieces
    assert piece.metre == METRES[0]
    assert piece.events.max(axis=0).tolist() < list(SIZES)
    melody, bass = (score.parts[index].notes for index in (0, 1))
    rows = piece.role(0)
    assert rows[:, 0].tolist() == [note.onset for note in melody]
    moved = {row - note.pitch for row, note in zip(rows[:, 1] + PITCH_LOWEST, melody, strict=True)}
    assert len(moved) == 1
    assert DURATION_STEPS[rows[:, 2]].tolist() == [note.duration for note in melody]
    assert len(piece.role(2)) == len(bass)


def test_a_melody_keeps_the_notes_that_its_accompaniment_doubles(tmp_path):
    score = tune(5)
    melody, bass = score.parts
    doubling = tuple(
        replace(note, duration=note.duration + (note.pitch != after.pitch))
        for note, after in pairwise(melody.notes)
    )
    assert doubling != melody.notes[:-1]
    notes = tuple(sorted((*bass.notes, *doubling), key=lambda note: (note.onset, note.pitch)))
    doubled = replace(score, parts=(melody, replace(bass, notes=notes)))
    for name, written in (("plain", score), ("with-doubling", doubled)):
        write_midi(written, tmp_path / f"{name}.mid")
    plain, with_doubling = read_corpus(tmp_path).pieces
    assert np.array_equal(with_doubling.role(0), plain.role(0))


def test_the_same_tune_in_two_keys_gives_the_same_events(tmp_path):
    for tonic in (0, 5):
        write_midi(tune(7, tonic), tmp_path / f"{tonic}.mid")
    low, high = read_corpus(tmp_path).pieces
    assert np.array_equal(low.events, high.events)


def test_splits_are_drawn_by_content_and_never_change(midi_directory, tmp_path):
    first = {s.path.name: s.split for s in list_sources(midi_directory)}
    for path in midi_directory.glob("*.mid"):
        (tmp_path / f"renamed-{path.name}").write_bytes(path.read_bytes())
    again = {s.path.name.removeprefix("renamed-"): s.split for s in list_sources(tmp_path)}
    assert first == again
    assert "train" in first.values()


def test_a_manifest_decides_class_split_and_style(manifest_directory, corpus):
    names = {source.path.name for source in list_sources(manifest_directory)}
    assert "tune-03.mid" not in names
    assert "tune-05.mid" not in names  # drums
    assert {piece.style for piece in corpus.pieces} == set(Style)
    assert {len(corpus.split(split)) > 0 for split in ("train", "valid", "test")} == {True}


def test_broken_files_are_counted_not_fatal(tmp_path):
    write_midi(tune(1), tmp_path / "good.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd nonsense")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "huge.mid").write_bytes(b"\0" * 5_000_001)
    write_midi(tune(1, n_bars=2), tmp_path / "short.mid")
    corpus = read_corpus(tmp_path)
    assert len(corpus.pieces) == 1
    assert corpus.dropped == {
        "not readable as MIDI": 2,
        "file larger than 5 MB": 1,
        "too few or too many notes": 1,
    }


def test_a_folder_without_music_is_a_named_error(tmp_path):
    with pytest.raises(ScoreError, match=r"Give a folder with \.mid files"):
        read_corpus(tmp_path)


def test_several_processes_read_the_same(midi_directory):
    alone, together = read_corpus(midi_directory), read_corpus(midi_directory, workers=2)
    assert [p.name for p in alone.pieces] == [p.name for p in together.pieces]
    assert all(
        np.array_equal(a.events, b.events)
        for a, b in zip(alone.pieces, together.pieces, strict=True)
    )


def performed(directory, beats_s, annotate=True):
    """A performance at a nominal 120: a scale in sixteenths between beats that sway."""
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    piano = pretty_midi.Instrument(0)
    for beat, (here, there) in enumerate(pairwise(beats_s)):
        for quarter in range(2):
            start = here + (there - here) * quarter / 2
            pitch = 60 + (0, 2, 4, 5, 7, 9, 11, 12)[(2 * beat + quarter) % 8]
            piano.notes.append(pretty_midi.Note(64, pitch, start, start + 0.1))
    midi.instruments.append(piano)
    midi.write(str(directory / "take.mid"))
    if annotate:
        marks = ["db,4/4,0" if n % 4 == 0 else "b" for n in range(len(beats_s))]
        rows = [f"{t}\t{t}\t{mark}" for t, mark in zip(beats_s, marks, strict=True)]
        (directory / "take_annotations.txt").write_text("\n".join(rows))


def test_a_performance_is_laid_on_its_annotated_beats(tmp_path):
    beats_s = np.cumsum(0.6 + 0.1 * np.sin(np.arange(60) / 4))
    performed(tmp_path, beats_s)
    (piece,) = read_corpus(tmp_path).pieces
    assert set(piece.events[1:, 0].tolist()) == {2}
    assert piece.metre == METRES[0]


def test_a_performance_without_annotation_is_read_where_its_beat_is_clear(tmp_path):
    performed(tmp_path, np.cumsum(0.6 + 0.02 * np.sin(np.arange(90) / 9)), annotate=False)
    (piece,) = read_corpus(tmp_path).pieces
    assert np.mean(np.isin(piece.events[1:, 0], (1, 2, 4))) > 0.95


def test_a_performance_without_a_beat_is_left_out(tmp_path):
    rng = np.random.default_rng(1)
    performed(tmp_path, np.cumsum(rng.uniform(0.05, 1.5, 90)), annotate=False)
    corpus = read_corpus(tmp_path)
    assert not corpus.pieces
    assert corpus.dropped == {"no beat could be found": 1}


def test_an_annotation_that_cannot_be_used_leaves_the_file_out(tmp_path):
    performed(tmp_path, np.cumsum(np.full(60, 0.6)))
    (tmp_path / "take_annotations.txt").write_text("nonsense")
    assert read_corpus(tmp_path).dropped == {"beats that cannot be used": 1}


@pytest.mark.parametrize(
    ("signature", "metre"),
    [((16, 4), (16, 4)), ((12, 4), (24, 4)), ((10, 4), None), ((6, 4), (24, 4)), ((5, 4), None)],
)
def test_a_long_cycle_of_quarters_is_read_as_several_bars(tmp_path, signature, metre):
    write_midi(tune(1), tmp_path / "tune.mid")
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "tune.mid"))
    midi.time_signature_changes = [pretty_midi.TimeSignature(*signature, 0.0)]
    midi.write(str(tmp_path / "tune.mid"))
    read = read_file(list_sources(tmp_path)[0])
    assert [piece.metre for piece in read.pieces] == ([metre] if metre else [])
