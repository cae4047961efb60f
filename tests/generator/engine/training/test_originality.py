import numpy as np
import pytest
import torch

from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.training import originality
from generator.engine.training.originality import OriginalityWatch

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
def watch(corpus):
    return OriginalityWatch(
        corpus.split("train"), corpus.split("valid"), n_pieces=2, n_events=60, seed=3
    )


def test_people_set_the_limit(watch):
    assert 0.0 <= watch.human <= watch.limit <= 1.0
    assert watch.is_original(watch.limit)
    assert not watch.is_original(watch.limit + 1e-6)


def test_training_pieces_themselves_are_copies(corpus):
    train = corpus.split("train")
    reciting = OriginalityWatch(train, train[:5])
    assert reciting.human == 1.0


def test_a_fresh_network_composes_nothing_that_is_known_and_always_the_same(watch):
    torch.manual_seed(2)
    network = LstmAcm(SHAPE).eval()
    first, second = watch.copied_share(network, 5), watch.copied_share(network, 5)
    assert first == second
    assert first < 0.5


def test_a_transposed_passage_is_still_a_copy(corpus):
    piece = corpus.split("train")[0]
    moved = piece.events.copy()
    moved[:, 2] += 3
    assert np.array_equal(originality._runs(piece.events), originality._runs(moved))
