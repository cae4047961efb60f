import pytest

from generator.engine.metrics.consonance import held_rub_share
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark


def score_of(melody, *others):
    parts = [Part(Role.MELODY, 0, tuple(Note(*n, 50) for n in melody))]
    parts += [Part(role, 89, tuple(Note(*n, 40) for n in notes)) for role, notes in others]
    return Score(tuple(parts), (TempoMark(0, 60.0),), 16, 0, "major")


@pytest.mark.parametrize(
    ("pad", "share"),
    [
        ((0, 16, 64), 0.5),  # a semitone under the F for all of it
        ((0, 16, 52), 0.5),  # a minor ninth
        ((0, 16, 54), 0.0),  # a major seventh is a colour
        ((0, 16, 40), 0.0),  # two octaves away
        ((0, 4, 66), 0.25),  # above it, for a beat
        ((0, 3, 64), 0.0),  # in passing
    ],
)
def test_a_rub_is_a_semitone_or_a_minor_ninth_held_for_a_beat(pad, share):
    assert held_rub_share(score_of([(0, 8, 65), (8, 8, 69)], (Role.PAD, [pad]))) == share


def test_a_moment_that_two_parts_rub_in_counts_once():
    others = (Role.PAD, [(0, 8, 64)]), (Role.INNER, [(4, 8, 66)])
    assert held_rub_share(score_of([(0, 8, 65)], *others)) == 1.0


def test_nothing_rubs_where_there_is_one_part():
    assert held_rub_share(score_of([(0, 8, 65)])) == 0.0
    assert held_rub_share(score_of([], (Role.PAD, [(0, 8, 64)]))) == 0.0
