from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.form import STEPS_PER_BAR, plan_form
from generator.engine.score.clock import Clock


def form_of(minutes, seed=1, **changes):
    brief = Brief(ComposerName.MARKOV, minutes, {Style.SONG: 1.0}, seed, **changes)
    return plan_form(brief, np.random.default_rng(seed))


@pytest.mark.parametrize("minutes", [0.5, 1.0, 2.0, 7.5, 30.0, 45.0, 60.0])
def test_phrases_fill_the_piece_without_gaps(minutes):
    form = form_of(minutes)
    assert form.phrases[0].first_bar == 0
    for here, there in pairwise(form.phrases):
        assert there.first_bar == here.first_bar + here.n_bars
    assert form.n_bars * STEPS_PER_BAR < form.n_steps
    assert [phrase.is_last for phrase in form.phrases].count(True) == 1
    assert form.phrases[-1].is_last


@pytest.mark.parametrize("tempo", [44.0, 50.0, 66.0, 76.0])
def test_the_tempo_falls_by_at_most_one_beat_a_minute_a_minute(tempo):
    form = form_of(45.0, tempo_bpm=tempo)
    clock = Clock(form.tempo)
    for here, there in pairwise(form.tempo):
        minutes = (clock.seconds(there.onset) - clock.seconds(here.onset)) / 60
        assert 0 < here.bpm - there.bpm <= 1.05 * minutes + 0.05
    assert form.tempo[-1].bpm >= 44.0 - 0.01


def test_a_night_at_66_arrives_at_50_by_four_fifths():
    form = form_of(45.0)
    clock = Clock(form.tempo)
    assert form.tempo[-1].bpm == pytest.approx(50.0, abs=0.1)
    assert clock.seconds(form.tempo[-1].onset) <= 0.82 * 45 * 60


def test_notes_a_minute_fall_from_36_to_13():
    form = form_of(45.0)

    def a_minute(phrase):
        return phrase.melody_notes * phrase.bpm * 4 / STEPS_PER_BAR

    assert a_minute(form.phrases[0]) == pytest.approx(36, abs=0.5)
    assert a_minute(form.phrases[-1]) == pytest.approx(13, abs=0.5)
    assert all(
        there.melody_notes <= here.melody_notes + 0.1 for here, there in pairwise(form.phrases)
    )


def test_dynamics_fall_from_52_to_34():
    form = form_of(45.0)
    assert form.velocity_at(0) == 52.0
    assert form.velocity_at(form.n_steps) == pytest.approx(34.0)


@pytest.mark.parametrize("seed", range(6))
def test_themes_return_but_not_on_end(seed):
    form = form_of(45.0, seed)
    sections = [phrase.theme for phrase in form.phrases[::2]]
    assert len(set(sections)) < len(sections)
    assert len(set(sections)) >= 8
    assert not any(a == b for a, b in pairwise(sections))
    for start in range(len(sections) - 9):
        assert max(Counter(sections[start : start + 10]).values()) <= 3


def test_the_first_theme_comes_home_at_the_end():
    form = form_of(45.0)
    assert form.phrases[-1].theme == 0
