"""Fusion of styles (Lee 2023) in the LSTM-ACM composer."""

import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.foundation import WEIGHTS
from generator.engine.composers.lstm_acm import Fusion, Settings, load_lstm_acm
from generator.engine.composers.registry import composer_for
from generator.engine.metrics.line import melody_of
from generator.engine.metrics.melody import is_looping

MINUTES = 1.5


def composed(fusion, styles, seed=5):
    brief = Brief(ComposerName.LSTM_ACM, MINUTES, styles, seed)
    composer = load_lstm_acm(WEIGHTS, Settings(fusion=fusion))
    return composer.compose(brief, np.random.default_rng(seed))


def test_where_one_style_has_all_the_weight_a_mixture_is_that_style():
    single = composed(Fusion.EMBEDDING, {Style.FOLK: 1.0})
    assert composed(Fusion.LOGIT, {Style.FOLK: 1.0, Style.JAZZ: 0.0}) == single


def test_a_theme_of_one_style_is_drawn_by_weight():
    everything = composed(Fusion.TWO_PHASE, {Style.FOLK: 1.0, Style.JAZZ: 0.0})
    assert everything.n_notes > 50
    blend = {Style.FOLK: 0.5, Style.JAZZ: 0.5}
    assert composed(Fusion.TWO_PHASE, blend) == composed(Fusion.TWO_PHASE, blend)


def test_a_fusion_is_the_network_with_its_styles_fused_in_two_phases():
    blend = {Style.FOLK: 0.5, Style.JAZZ: 0.5}
    fused = Brief(ComposerName.FUSION, MINUTES, blend, 5)
    composer = composer_for(ComposerName.FUSION)
    assert composer.compose(fused, np.random.default_rng(5)) == composed(Fusion.TWO_PHASE, blend)
    plain = composer_for(ComposerName.LSTM_ACM)
    assert composer.release == plain.release.replace("lstm_acm", "fusion")
    assert composer.compose(fused, np.random.default_rng(5)) != composed(Fusion.EMBEDDING, blend)


@pytest.mark.parametrize("fusion", list(Fusion))
def test_every_way_of_fusing_keeps_to_the_guards(fusion):
    score = composed(fusion, {Style.CLASSICAL: 0.4, Style.FOLK: 0.3, Style.JAZZ: 0.3})
    line = melody_of(score, 2)
    assert len(line) > 15
    assert not is_looping(line.onsets, line.pitches)


def test_the_ways_of_fusing_make_different_music():
    blend = {Style.CLASSICAL: 0.5, Style.JAZZ: 0.5}
    scores = [composed(fusion, blend) for fusion in Fusion]
    assert len({melody_of(score).pitches.tobytes() for score in scores}) == len(scores)
