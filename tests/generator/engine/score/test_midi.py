from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.engine.errors import ScoreError
from generator.engine.score.clock import midi_tempo
from generator.engine.score.midi import read_midi, write_midi
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark


@st.composite
def scores(draw):
    parts = []
    for role in draw(st.lists(st.sampled_from(list(Role)), min_size=1, max_size=4, unique=True)):
        ends, notes = {}, []
        for gap, duration, pitch, velocity in draw(
            st.lists(
                st.tuples(
                    st.integers(0, 20),
                    st.integers(1, 40),
                    st.integers(0, 127),
                    st.integers(1, 127),
                ),
                min_size=1,
                max_size=12,
            )
        ):
            onset = max(notes[-1].onset + gap if notes else gap, ends.get(pitch, 0))
            notes.append(Note(onset, duration, pitch, velocity))
            ends[pitch] = onset + duration
        ordered = tuple(sorted(notes, key=lambda n: (n.onset, n.pitch)))
        parts.append(Part(role, draw(st.integers(0, 127)), ordered))
    bpms = draw(st.lists(st.floats(30.0, 90.0), min_size=1, max_size=5))
    tempo = tuple(TempoMark(index * 7, midi_tempo(bpm)) for index, bpm in enumerate(bpms))
    last = max(note.offset for part in parts for note in part.notes)
    tempo = tuple(mark for mark in tempo if mark.onset <= last)
    return Score(
        tuple(parts),
        tempo,
        draw(st.sampled_from((6, 8, 12, 16, 18))),
        draw(st.integers(0, 11)),
        draw(st.sampled_from(("major", "minor"))),
    )


@given(score=scores())
@settings(max_examples=25, deadline=None)
def test_what_is_written_re_reads_equal(score, tmp_path_factory):
    path = tmp_path_factory.mktemp("midi") / "piece.mid"
    write_midi(score, path)
    again = read_midi(path)
    assert again.parts == score.parts
    assert (again.steps_per_bar, again.tonic, again.mode) == (
        score.steps_per_bar,
        score.tonic,
        score.mode,
    )
    assert {m.onset: m.bpm for m in again.tempo}.items() <= {
        m.onset: m.bpm for m in score.tempo
    }.items()


def test_the_melody_has_a_track_of_its_own_in_other_programs_too(tmp_path):
    score = Score(
        (
            Part(Role.MELODY, 46, (Note(0, 4, 72, 50),)),
            Part(Role.BASS, 42, (Note(0, 16, 40, 40),)),
        ),
        (TempoMark(0, 60.0),),
    )
    path = tmp_path / "piece.mid"
    write_midi(score, path)
    tracks = pretty_midi.PrettyMIDI(str(path)).instruments
    assert [(t.name, t.program, len(t.notes)) for t in tracks] == [
        ("melody", 46, 1),
        ("bass", 42, 1),
    ]
    assert len(mido.MidiFile(path).tracks) == 3


def test_a_pitch_that_sounds_twice_at_once_is_refused(tmp_path):
    notes = (Note(0, 8, 60, 50), Note(4, 8, 60, 50))
    score = Score((Part(Role.MELODY, 0, notes),), (TempoMark(0, 60.0),))
    with pytest.raises(ScoreError, match="pitch 60 again at step 4"):
        write_midi(score, tmp_path / "piece.mid")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not music at all",
        b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk\x7f\xff\xff\xff",
        b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00MTrk\x00\x00\x00\x04\x00\xff\x2f\x00",
        # One note whose end lies 268 million ticks away: 37 bytes that ask for gigabytes.
        b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x0f"
        b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40\x00\xff\x2f\x00",
        b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x04\x00\xff\x2f\x00",
    ],
    ids=["empty", "text", "cut off", "no ticks a beat", "tick bomb", "no notes"],
)
def test_hostile_or_broken_files_are_named_errors(content, tmp_path: Path):
    path = tmp_path / "bad.mid"
    path.write_bytes(content)
    with pytest.raises(ScoreError, match=r"bad\.mid"):
        read_midi(path)


def test_a_missing_file_is_a_named_error(tmp_path):
    with pytest.raises(ScoreError, match=r"none\.mid"):
        read_midi(tmp_path / "none.mid")


def test_a_file_that_is_too_large_is_not_parsed(tmp_path):
    path = tmp_path / "huge.mid"
    path.write_bytes(b"\0" * 5_000_001)
    with pytest.raises(ScoreError, match="at most 5000000 bytes"):
        read_midi(path)
