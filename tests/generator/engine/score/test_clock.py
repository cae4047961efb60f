import numpy as np
import pytest

from generator.engine.score.clock import Clock, midi_tempo, seconds_per_step, ticks_to_steps
from generator.engine.score.notes import TempoMark

SLOWING = (TempoMark(0, 60.0), TempoMark(16, 30.0))


def test_a_step_at_sixty_beats_a_minute_lasts_a_quarter_of_a_second():
    assert seconds_per_step(60.0) == 0.25


def test_time_runs_at_the_tempo_that_holds():
    clock = Clock(SLOWING)
    assert clock.seconds(16) == pytest.approx(4.0)
    assert clock.seconds(20) == pytest.approx(6.0)


def test_step_at_undoes_seconds():
    clock = Clock(SLOWING)
    for step in (0, 3, 16, 17.5, 400):
        assert clock.step_at(clock.seconds(step)) == pytest.approx(step)


def test_many_steps_at_once_agree_with_one_at_a_time():
    clock = Clock(SLOWING)
    steps = np.arange(40)
    assert clock.seconds_of(steps) == pytest.approx([clock.seconds(int(s)) for s in steps])


def test_ticks_round_to_the_nearest_step_with_halves_going_up():
    assert ticks_to_steps(np.array([0, 59, 60, 61, 119, 120, 180]), 480).tolist() == [
        0,
        0,
        1,
        1,
        1,
        1,
        2,
    ]


def test_a_midi_tempo_is_a_whole_number_of_microseconds_a_beat():
    assert (60e6 / midi_tempo(61.3)) == pytest.approx(round(60e6 / 61.3), abs=1e-6)
    assert midi_tempo(midi_tempo(61.3)) == midi_tempo(61.3)
