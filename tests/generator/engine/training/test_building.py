import numpy as np
import pytest

from generator.engine.brief import Brief, ComposerName, Style
from generator.engine.composers.registry import WITH_RELEASE, composer_for
from generator.engine.errors import TrainingError
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


@pytest.mark.parametrize("name", WITH_RELEASE)
def test_a_release_built_from_a_folder_of_midi_composes(name, midi_directory, tmp_path):
    lines = []
    built = build_release(name, midi_directory, tmp_path, PLAN, shape=SHAPE, report=lines.append)
    assert built.n_pieces == built.n_files
    assert len(lines) == 2
    composer = composer_for(name, tmp_path)
    score = composer.compose(Brief(name, 0.5, {Style.CLASSICAL: 1.0}, 1), np.random.default_rng(1))
    assert score.n_notes > 20


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
