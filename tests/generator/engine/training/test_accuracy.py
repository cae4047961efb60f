import numpy as np
import pytest
import torch

from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.accuracy import (
    COLUMNS,
    Accuracy,
    memory_accuracy,
    network_accuracy,
)
from generator.engine.training.batches import prepare
from generator.engine.training.evaluation import released_network
from generator.engine.training.lstm_acm import scale_of, train_lstm_acm
from generator.engine.training.plan import TrainingPlan

SHAPE = NetworkShape(
    hidden=32,
    layers=1,
    bottleneck=8,
    head_size=8,
    memory=8,
    field_hidden=16,
    pointer_size=8,
    pointer_memory=24,
)


@pytest.fixture(scope="module")
def held_out(corpus):
    scale = scale_of(corpus.split("train"), 32)
    return [prepare(piece, scale, 32) for piece in corpus.split("test")]


def test_every_note_is_asked_for_once(held_out, corpus):
    torch.manual_seed(1)
    found = network_accuracy(LstmAcm(SHAPE), held_out, 32)
    notes = [len(piece.events) for piece in corpus.split("test")]
    assert found.asked[:, COLUMNS.index("pitch")].tolist() == notes
    melody = [int((piece.events[:, 1] == 0).sum()) for piece in corpus.split("test")]
    assert found.asked[:, COLUMNS.index("melody pitch")].tolist() == melody


def test_one_of_five_is_easier_than_the_first(held_out):
    torch.manual_seed(1)
    shares = network_accuracy(LstmAcm(SHAPE), held_out, 32).shares()
    assert shares["pitch, of five"] >= shares["pitch"]


def test_what_was_learnt_is_foretold_more_often(corpus, held_out, tmp_path):
    plan = TrainingPlan(
        minutes=1e9,
        max_steps=80,
        lanes=4,
        length=32,
        learning_rate=1e-2,
        evaluate_every=80,
        originality_pieces=0,
        average=0.9,
    )
    train_lstm_acm(corpus, tmp_path, plan, SHAPE)
    torch.manual_seed(1)
    fresh = network_accuracy(LstmAcm(SHAPE), held_out, 32).shares()
    from_release = network_accuracy(released(tmp_path), held_out, 32).shares()
    # The copy head alone has pitches right from the start; rhythm must be learnt.
    gained = sum(from_release[name] - fresh[name] for name in ("shift", "duration"))
    assert gained > 0.1


def released(directory):
    checkpoint = load_checkpoint(directory / "release")
    return released_network(checkpoint)


def test_the_memory_of_a_piece_foretells_what_returns(corpus):
    found = memory_accuracy(corpus.split("test"))
    shares = found.shares()
    assert 0.0 <= shares["pitch"] <= 1.0
    low, high = found.interval("pitch")
    assert low <= shares["pitch"] <= high


def test_the_interval_of_a_share_is_drawn_by_piece():
    right = np.tile([[0.0], [10.0]], (10, len(COLUMNS)))
    found = Accuracy(right, np.full_like(right, 10.0))
    assert found.shares()["shift"] == 0.5
    low, high = found.interval("shift")
    assert low < 0.4 < 0.6 < high
