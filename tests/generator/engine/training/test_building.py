import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.registry import composer_for
from generator.engine.errors import CheckpointError, TrainingError
from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.building import build_release
from generator.engine.training.harmony import bar_degrees
from generator.engine.training.plan import TrainingPlan

SHAPE = NetworkShape(
    hidden=32,
    layers=2,
    bottleneck=8,
    head_size=8,
    memory=8,
    field_hidden=16,
    pointer_size=8,
    pointer_memory=24,
)
PLAN = TrainingPlan(
    minutes=1e9, max_steps=2, lanes=2, length=32, evaluate_every=2, originality_pieces=0
)


OF_NO_OTHER = [name for name in ComposerName if name is not ComposerName.FUSION]


@pytest.mark.parametrize("name", OF_NO_OTHER)
def test_a_release_built_from_a_folder_of_midi_composes(name, midi_directory, tmp_path):
    lines = []
    built = build_release(name, midi_directory, tmp_path, PLAN, shape=SHAPE, report=lines.append)
    assert built.n_pieces == built.n_files
    assert len(lines) == 2
    composer = composer_for(name, tmp_path)
    score = composer.compose(Brief(name, 0.5, {Style.CLASSICAL: 1.0}, 1), np.random.default_rng(1))
    assert score.n_notes > 20


def test_genres_learn_from_the_network_of_all_genres_and_play_beside_it(midi_directory, tmp_path):
    for name in (ComposerName.LSTM_ACM, ComposerName.FUSION):
        built = build_release(name, midi_directory, tmp_path, PLAN, shape=SHAPE)
    genres = load_checkpoint(built.release)
    assert genres.config["base"] == load_checkpoint(tmp_path / "lstm_acm").release
    assert list(genres.config["genres"]) == ["classical"]
    composer = composer_for(ComposerName.FUSION, tmp_path)
    # Of folk nothing was learnt: the network of all genres plays it.
    brief = Brief(ComposerName.FUSION, 0.5, {Style.FOLK: 0.5, Style.CLASSICAL: 0.5}, 1)
    assert composer.compose(brief, np.random.default_rng(1)).n_notes > 20


def test_genres_without_the_network_of_all_genres_are_a_named_error(midi_directory, tmp_path):
    with pytest.raises(CheckpointError, match="expected in release lstm_acm"):
        build_release(ComposerName.FUSION, midi_directory, tmp_path, PLAN, shape=SHAPE)


def test_a_run_that_is_stopped_at_once_has_no_release(midi_directory, tmp_path):
    built = build_release(
        ComposerName.LSTM_ACM, midi_directory, tmp_path, PLAN, shape=SHAPE, stop=lambda: True
    )
    assert built.release is None
    assert not (tmp_path / "lstm_acm").exists()


def test_a_corpus_of_which_nothing_is_left_is_a_named_error(tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"MThd nonsense")
    with pytest.raises(TrainingError, match="got none: 1 not readable as MIDI"):
        build_release(ComposerName.MARKOV, tmp_path, tmp_path / "out", PLAN)


def test_bars_stand_on_the_degree_that_sounds(corpus):
    piece = corpus.pieces[1]
    degrees = bar_degrees(piece)
    bars = piece.role(2)
    roots = (bars[:, 1] + 21) % 12
    expected = [{0: 0, 5: 3, 7: 4, 9: 5}.get(int(root)) for root in roots]
    agreeing = [a == b for a, b in zip(degrees, expected, strict=False) if b is not None]
    assert np.mean(agreeing) > 0.4
