import numpy as np
import pytest

from generator.engine.composers.form import BREADTH
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.gate import MAX_GRADED_DRAWS, first_acceptable, graded
from generator.engine.metrics.grade import TURNED_DOWN_BELOW, Grade, human_scale
from generator.engine.metrics.line import melody_of
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark

SCALE_PITCHES = (60, 62, 64, 65, 67, 69, 71, 72)


def song(seed, n_bars=48):
    """A walk along the scale, mostly in quarters."""
    rng = np.random.default_rng(seed)
    notes, degree = [], 3
    for bar in range(n_bars):
        places = (0, 4, 8, 12) if rng.random() < 0.6 else (0, 4, 6, 8, 12, 14)
        for place in places:
            degree = int(np.clip(degree + rng.choice((-2, -1, -1, 1, 1, 2)), 0, 7))
            notes.append(Note(BREADTH * (16 * bar + place), BREADTH, SCALE_PITCHES[degree], 50))
    return score_of(notes)


def noise(seed, n_bars=48):
    rng = np.random.default_rng(seed)
    places = np.sort(rng.choice(16 * n_bars, 5 * n_bars, replace=False))
    return score_of(
        [Note(BREADTH * int(p), BREADTH, int(rng.integers(40, 90)), 50) for p in places]
    )


def score_of(notes):
    return Score((Part(Role.MELODY, 0, tuple(notes)),), (TempoMark(0, 60.0),))


@pytest.fixture(scope="module")
def scale():
    return human_scale([melody_of(song(seed), BREADTH) for seed in range(120)])


def test_the_first_piece_like_people_s_is_taken(scale):
    asked = []

    def compose(n_before):
        asked.append(n_before)
        return song(500 + n_before)

    found = first_acceptable(compose, scale)
    assert found.lowest >= TURNED_DOWN_BELOW
    assert len(found.draws) == len(asked)
    assert found.grade in Grade


def test_noise_is_drawn_again(scale):
    found = first_acceptable(lambda n_before: song(500) if n_before else noise(1), scale)
    assert len(found.draws) == 2
    assert min(found.draws[0].values()) < TURNED_DOWN_BELOW
    assert found.score == song(500)


def test_the_draws_are_bounded_and_the_best_is_kept(scale):
    drawn = [noise(seed) for seed in range(MAX_GRADED_DRAWS)]
    found = first_acceptable(lambda n_before: drawn[n_before], scale)
    assert len(found.draws) == MAX_GRADED_DRAWS
    assert found.lowest == max(graded(score, scale).lowest for score in drawn)
    assert found.described()["grade"] == "average"


def test_a_long_piece_is_graded_by_stretches_of_human_length(scale):
    long = graded(song(7, n_bars=640), scale)
    assert long.lowest >= TURNED_DOWN_BELOW


def test_a_melody_of_a_few_notes_is_not_graded(scale):
    found = first_acceptable(lambda _: song(3, n_bars=2), scale)
    assert (found.grade, found.typicality) == (None, {})


def test_without_a_scale_nothing_is_redrawn():
    found = first_acceptable(lambda n_before: noise(n_before), None)
    assert (found.score, found.draws) == (noise(0), ())


def test_the_foundation_that_ships_holds_a_scale():
    assert set(load_foundation().scale.middle) == {"melody", "rhythm", "harmony"}
