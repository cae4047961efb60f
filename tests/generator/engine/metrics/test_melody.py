import math

import numpy as np
import pytest

from generator.engine.metrics.melody import interval_shares, is_looping, repetition


def test_a_walk_that_never_returns_repeats_nothing():
    rng = np.random.default_rng(1)
    assert repetition(np.arange(200) * 2, rng.integers(40, 90, size=200)) == 0.0


def test_a_theme_said_twice_repeats_about_half():
    theme = np.random.default_rng(2).integers(40, 90, size=60)
    share = repetition(np.arange(120) * 2, np.concatenate([theme, theme + 5]))
    assert share == pytest.approx(53 / 112, abs=0.02)


def test_too_short_a_melody_has_no_repetition():
    assert math.isnan(repetition(np.arange(5), np.arange(5)))


@pytest.mark.parametrize("figure", [[60], [60, 62], [60, 64, 67, 64, 62, 60, 59, 62]])
def test_a_figure_without_end_is_a_loop(figure):
    pitches = np.array(figure * 20)
    assert is_looping(np.arange(len(pitches)) * 4, pitches)


def test_a_theme_that_returns_is_no_loop():
    rng = np.random.default_rng(4)
    theme, other = rng.integers(50, 80, size=(2, 30))
    pitches = np.concatenate([theme, other, theme, other, theme])
    assert not is_looping(np.arange(len(pitches)) * 4, pitches)


def test_shares_of_intervals():
    shares = interval_shares(np.array([60, 62, 60, 72, 72]))
    assert shares == {"steps": 0.75, "leaps": 0.25, "widest": 12.0}
