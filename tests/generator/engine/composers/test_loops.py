import numpy as np
import pytest

from generator.engine.composers.loops import LoopWatch
from generator.engine.metrics.melody import is_looping


def heard(notes):
    watch = LoopWatch()
    for shift, pitch in notes:
        watch.hear(shift, pitch)
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
