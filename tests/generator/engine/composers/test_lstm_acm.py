"""Fusion of styles (Lee 2023) by the network of all genres and by a network a genre."""

from functools import partial

import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.ensemble import Ensemble, Fusion, Players
from generator.engine.composers.foundation import load_foundation
from generator.engine.composers.lstm_acm import LstmAcmComposer, Settings, load_lstm_acm
from generator.engine.composers.registry import composer_for
from generator.engine.composers.releases import WEIGHTS
from generator.engine.errors import CheckpointError
from generator.engine.metrics.line import melody_of
from generator.engine.metrics.melody import is_looping
from generator.engine.networks.checkpoints import load_checkpoint, save_checkpoint
from generator.engine.networks.genres import genre_network
from generator.engine.networks.incremental import Listener, Network
from generator.engine.tokens.conditions import N_CONDITIONS

MINUTES = 1.5
ONE_NETWORK, ONE_A_GENRE = ComposerName.LSTM_ACM, ComposerName.FUSION
NOTHING = np.zeros(N_CONDITIONS, dtype=np.float32)


def composed(fusion, styles, seed=5, name=ONE_NETWORK):
    brief = Brief(name, MINUTES, styles, seed)
    composer = load_lstm_acm(WEIGHTS, Settings(fusion=fusion), name)
    return composer.compose(brief, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def folk_alone():
    """The network of one genre, as a composer that knows no other."""
    base, genres = (load_checkpoint(WEIGHTS / name) for name in ("lstm_acm", "fusion"))
    network = Network(genre_network(base, genres, Style.FOLK))
    players = Players(partial(Listener, network, NOTHING))
    return LstmAcmComposer(players, "folk", load_foundation(), Settings())


@pytest.mark.parametrize("name", [ONE_NETWORK, ONE_A_GENRE])
def test_where_one_style_has_all_the_weight_a_mixture_is_that_style(name, folk_alone):
    mixture = composed(Fusion.LOGIT, {Style.FOLK: 1.0, Style.JAZZ: 0.0}, name=name)
    single = composed(Fusion.EMBEDDING, {Style.FOLK: 1.0})
    brief = Brief(ONE_NETWORK, MINUTES, {Style.FOLK: 1.0}, 5)
    folk = folk_alone.compose(brief, np.random.default_rng(5))
    assert mixture == (single if name is ONE_NETWORK else folk)
    assert folk != single


def test_a_theme_of_one_style_is_drawn_by_weight():
    everything = composed(Fusion.TWO_PHASE, {Style.FOLK: 1.0, Style.JAZZ: 0.0})
    assert everything.n_notes > 50
    blend = {Style.FOLK: 0.5, Style.JAZZ: 0.5}
    assert composed(Fusion.TWO_PHASE, blend) == composed(Fusion.TWO_PHASE, blend)


def test_a_fusion_is_a_network_a_genre_fused_in_two_phases():
    blend = {Style.FOLK: 0.5, Style.JAZZ: 0.5}
    brief = Brief(ONE_A_GENRE, MINUTES, blend, 5)
    composer = composer_for(ONE_A_GENRE)
    score = composer.compose(brief, np.random.default_rng(5))
    assert score == composed(Fusion.TWO_PHASE, blend, name=ONE_A_GENRE)
    assert score != composed(Fusion.TWO_PHASE, blend)
    assert composer.release == load_checkpoint(WEIGHTS / "fusion").release


def test_in_two_phases_motifs_are_drawn_by_weight_and_the_blend_goes_on():
    network = Network(load_checkpoint(WEIGHTS / "lstm_acm"))
    players = Players(partial(Listener, network, NOTHING))
    ensemble = Ensemble(players, {Style.FOLK: 0.8, Style.JAZZ: 0.2}, Fusion.TWO_PHASE)
    rng, asked, spoke = np.random.default_rng(2), [], []

    def conditions(styles):
        asked.append(dict(styles))
        return NOTHING

    for _ in range(100):
        ensemble.enter(conditions, rng, begins_theme=True)
        spoke.append(ensemble.listener.voices)
    assert asked[:3] == [{Style.FOLK: 0.8, Style.JAZZ: 0.2}, {Style.FOLK: 1.0}, {Style.JAZZ: 1.0}]
    assert 65 < spoke.count((1,)) < 95
    assert spoke.count((1,)) + spoke.count((2,)) == 100
    ensemble.enter(conditions, rng, begins_theme=False)
    assert ensemble.listener.voices == (0,)


@pytest.mark.parametrize("name", [ONE_NETWORK, ONE_A_GENRE])
@pytest.mark.parametrize("fusion", list(Fusion))
def test_every_way_of_fusing_keeps_to_the_guards(fusion, name):
    blend = {Style.CLASSICAL: 0.4, Style.FOLK: 0.3, Style.JAZZ: 0.3}
    line = melody_of(composed(fusion, blend, name=name), 2)
    assert len(line) > 15
    assert not is_looping(line.onsets, line.pitches)


@pytest.mark.parametrize("name", [ONE_NETWORK, ONE_A_GENRE])
def test_the_ways_of_fusing_make_different_music(name):
    blend = {Style.CLASSICAL: 0.5, Style.JAZZ: 0.5}
    scores = [composed(fusion, blend, name=name) for fusion in Fusion]
    assert len({melody_of(score).pitches.tobytes() for score in scores}) == len(scores)


def test_genres_of_another_network_do_not_play(tmp_path):
    for name in ("lstm_acm", "foundation", "fusion"):
        release = load_checkpoint(WEIGHTS / name)
        config = {**release.config, "base": "lstm_acm-of-yesterday"}
        save_checkpoint(tmp_path / name, release.arrays, config)
    with pytest.raises(CheckpointError, match="got those of lstm_acm-of-yesterday"):
        load_lstm_acm(tmp_path, Settings(), ONE_A_GENRE)
