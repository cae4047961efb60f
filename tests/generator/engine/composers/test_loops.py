import numpy as np
import pytest

from generator.engine.composers.loops import LoopWatch
from generator.engine.metrics.melody import is_looping
from generator.engine.score.notes import Role
from generator.engine.tokens.vocabulary import ROLES

MELODY, BASS = ROLES.index(Role.MELODY), ROLES.index(Role.BASS)


def heard(notes):
    watch = LoopWatch()
    for shift, pitch in notes:
        watch.hear(shift, MELODY, pitch)
    return watch


@pytest.mark.parametrize("period", range(2, 9))
def test_a_figure_is_not_said_a_fourth_time(period):
    figure = [(2, 60 + place) for place in range(period)]
    nearly = [(4, 50), *figure * 3, *figure[:-1]]
    assert heard(nearly[:-1]).closing() == set()
    assert heard(nearly).closing() == {figure[-1][1]}
    shifts, pitches = np.array([*nearly, figure[-1]]).T
    assert is_looping(np.cumsum(shifts), pitches)
    assert not is_looping(np.cumsum(shifts)[:-1], pitches[:-1])


def test_a_note_is_not_struck_an_eighth_time():
    assert heard([(1, 60)] * 6).closing() == set()
    assert heard([(1, 60)] * 7).closing() == {60}


def test_another_rhythm_makes_another_figure():
    figure = [(2, 60), (2, 62)]
    assert heard([*figure * 3, (4, 60)]).closing() == set()


def test_a_melody_goes_in_circles_above_any_accompaniment():
    watch = LoopWatch()
    for place in range(8):
        watch.hear(1, MELODY, 60)
        watch.hear(1, BASS, 30 + place)
    assert watch.closing() == {60}


def test_an_accompaniment_may_go_round():
    watch = LoopWatch()
    for place in range(20):
        watch.hear(1, BASS, 30)
        watch.hear(1, MELODY, 50 + place)
    assert watch.closing() == set()


def test_of_notes_that_begin_together_the_highest_is_the_melody():
    watch = LoopWatch()
    for place in range(7):
        watch.hear(1, MELODY, 40 + place)
        watch.hear(0, MELODY, 60)
    assert watch.closing() == {60}
