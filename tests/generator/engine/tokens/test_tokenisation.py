import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.engine.errors import ScoreError
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark
from generator.engine.tokens.quantisation import quantise
from generator.engine.tokens.tokenisation import decode, encode
from generator.engine.tokens.vocabulary import DURATION_STEPS, VELOCITY_CENTRES

TEMPO = (TempoMark(0, 60.0),)


@st.composite
def free_scores(draw):
    """Any music on whole steps and on the piano in every key."""
    parts = []
    for role in draw(st.lists(st.sampled_from(list(Role)), min_size=1, max_size=4, unique=True)):
        rows = draw(
            st.lists(
                st.tuples(
                    st.integers(0, 300),
                    st.integers(1, 90),
                    st.integers(27, 102),
                    st.integers(1, 127),
                ),
                max_size=20,
            )
        )
        notes = sorted((Note(*row) for row in rows), key=lambda n: (n.onset, n.pitch, n.duration))
        parts.append(Part(role, draw(st.integers(0, 127)), tuple(notes)))
    return Score(
        tuple(parts),
        TEMPO,
        draw(st.sampled_from((12, 16))),
        draw(st.integers(0, 11)),
        draw(st.sampled_from(("major", "minor"))),
    )


def ordered(score):
    parts = tuple(
        Part(
            part.role,
            part.program,
            tuple(sorted(part.notes, key=lambda n: (n.onset, n.pitch, n.duration, n.velocity))),
        )
        for part in score.parts
    )
    return Score(parts, score.tempo, score.steps_per_bar, score.tonic, score.mode)


@given(score=free_scores())
@settings(max_examples=60, deadline=None)
def test_decoding_undoes_encoding_for_scores_on_the_grid(score):
    grid = ordered(quantise(score))
    assert decode(encode(grid)) == grid


@given(score=free_scores())
@settings(max_examples=30, deadline=None)
def test_quantising_twice_changes_nothing_more(score):
    assert quantise(quantise(score)) == quantise(score)


@given(score=free_scores())
@settings(max_examples=30, deadline=None)
def test_quantising_keeps_every_note_at_its_place_in_the_bar(score):
    for before, after in zip(score.parts, quantise(score).parts, strict=True):
        for old, new in zip(before.notes, after.notes, strict=True):
            assert old.onset % score.steps_per_bar == new.onset % score.steps_per_bar


def test_events_are_five_bytes_in_the_order_of_time_then_pitch():
    melody = Part(Role.MELODY, 0, (Note(0, 4, 72, 56), Note(4, 4, 74, 56)))
    bass = Part(Role.BASS, 42, (Note(0, 16, 48, 40),))
    stream = encode(Score((melody, bass), TEMPO))
    assert stream.events.dtype == np.uint8
    assert stream.events.tolist() == [[0, 2, 27, 15, 2], [0, 0, 51, 3, 3], [4, 0, 53, 3, 3]]


@pytest.mark.parametrize(
    "note",
    [Note(0, 17, 60, 56), Note(0, 4, 60, 57), Note(33, 4, 60, 56), Note(0, 4, 12, 56)],
    ids=["duration", "velocity", "gap", "pitch"],
)
def test_music_off_the_grid_is_refused(note):
    with pytest.raises(ScoreError, match="quantise"):
        encode(Score((Part(Role.MELODY, 0, (note,)),), TEMPO))


def test_two_parts_of_one_role_are_refused():
    part = Part(Role.INNER, 0, (Note(0, 4, 60, 56),))
    with pytest.raises(ScoreError, match="one part a role"):
        encode(Score((part, part), TEMPO))


def test_bins_are_their_own_nearest():
    part = Part(
        Role.MELODY,
        0,
        tuple(Note(0, int(d), 60, int(v)) for d in DURATION_STEPS for v in VELOCITY_CENTRES),
    )
    score = Score((part,), TEMPO)
    assert quantise(score) == score
