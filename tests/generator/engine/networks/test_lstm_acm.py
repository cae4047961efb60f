import numpy as np
import pytest
import torch

from generator.engine.networks.checkpoints import load_checkpoint, save_checkpoint
from generator.engine.networks.incremental import Listener, Network
from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.vocabulary import SIZES
from generator.engine.training.batches import make_batch
from tests.generator.small_network import (
    N_EVENTS,
    SHAPE,
    prepared,
    returning_piece,
    small_network,
)


@pytest.fixture(scope="module")
def network():
    return small_network()


@pytest.fixture(scope="module")
def piece():
    return returning_piece()


@torch.no_grad()
def foretold(network, piece, sizes):
    carried, at, found, likelihoods = network.initial(1), 0, [], []
    for size in sizes:
        batch = make_batch([(piece, at, False)], size, [False])
        state, _, carried = network(batch.stretch, carried)
        log_p, pointer = network.log_likelihood(state, batch.outcome, carried.pointer)
        carried = carried._replace(pointer=pointer)
        found.append(state)
        likelihoods.append(log_p)
        at += size
    return torch.cat(found, dim=1)[0], torch.cat(likelihoods, dim=1)[0]


@pytest.mark.parametrize("sizes", [(30, 30, 30), (7, 50, 33), (1,) * N_EVENTS])
def test_stretches_with_carried_memory_equal_one_long_forward_pass(network, piece, sizes):
    for found, whole in zip(
        foretold(network, piece, sizes), foretold(network, piece, (N_EVENTS,)), strict=True
    ):
        assert torch.allclose(found, whole, atol=1e-5)


def test_the_future_is_not_seen(network, piece):
    events = piece.events.copy()
    events[50:] = 1
    whole, changed = (foretold(network, p, (N_EVENTS,)) for p in (piece, prepared(events)))
    assert torch.equal(whole[0][:51], changed[0][:51])
    assert torch.equal(whole[1][:50], changed[1][:50])
    assert not torch.allclose(whole[0][51:], changed[0][51:])


def listener_of(network, piece, directory):
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    config = {"composer": "lstm_acm", "shape": network.shape.as_dict()}
    save_checkpoint(directory, arrays, config)
    return Listener(Network(load_checkpoint(directory)), piece.conditions[0])


def hear(listener, piece, index):
    listener.hear(
        tuple(piece.events[index].tolist()),
        int(piece.position[index]),
        int(piece.phrase[index]),
        opens_beat=bool(piece.opens[index, 1]),
        opens_bar=bool(piece.opens[index, 2]),
    )


def test_the_numpy_listener_equals_the_full_forward_pass(network, piece, tmp_path):
    whole, likelihood = foretold(network, piece, (N_EVENTS,))
    listener = listener_of(network, piece, tmp_path)
    for index, event in enumerate(piece.events.tolist()):
        assert np.abs(listener.state - whole[index].numpy()).max() < 1e-5
        guess, match = tuple(piece.predicted[index].tolist()), int(piece.match[index])
        chain = listener.state
        for field in range(len(SIZES)):
            log_p = listener.log_distribution(
                chain, tuple(event[:field]), guess if match else None, match
            )
            assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-4)
            assert log_p[event[field]] == pytest.approx(float(likelihood[index, field]), abs=2e-4)
            if field + 1 < len(SIZES):
                landing = int(piece.position[index]) if field == 0 else None
                chain = listener.chained(field, chain, event[field], landing)
        hear(listener, piece, index)


def test_the_copy_head_is_used_by_the_piece_that_tests_it(piece):
    assert (piece.match > 0).sum() > 20


def test_familiarity_raises_what_the_past_suggests(network, piece, tmp_path):
    listener = listener_of(network, piece, tmp_path)
    for index in range(60):
        hear(listener, piece, index)
    guess = tuple(piece.predicted[60].tolist())
    dials = (-4.0, 0.0, 4.0)
    p = [listener.log_distribution(listener.state, (), guess, 2, dial)[guess[0]] for dial in dials]
    assert p[0] < p[1] < p[2]


@torch.no_grad()
def test_the_mixture_of_network_and_copy_head_is_a_distribution(network, piece):
    batch = make_batch([(piece, 0, False)], 61, [False])
    state, _, carried = network(batch.stretch, network.initial(1))
    total = torch.zeros(())
    for shift in range(SIZES[0]):
        events = batch.outcome.events.clone()
        events[0, 60, 0] = shift
        asked = batch.outcome._replace(events=events)
        total += network.log_likelihood(state, asked, carried.pointer)[0][0, 60, 0].exp()
    assert float(total) == pytest.approx(1.0, abs=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("field", range(len(SIZES)))
def test_the_whole_distribution_of_a_field_agrees_with_the_likelihood(network, piece, field):
    batch = make_batch([(piece, 0, False)], N_EVENTS, [False])
    state, _, carried = network(batch.stretch, network.initial(1))
    log_p = network.field_log_distribution(state, batch.outcome, carried.pointer, field)
    assert torch.allclose(log_p.exp().sum(dim=2), torch.ones(1, N_EVENTS), atol=1e-4)
    truth = log_p.gather(2, batch.outcome.events[..., field].long().unsqueeze(2))[..., 0]
    likelihood, _ = network.log_likelihood(state, batch.outcome, carried.pointer)
    assert torch.allclose(truth, likelihood[..., field], atol=1e-3)


@torch.no_grad()
def test_a_wrong_copy_ends_the_influence_of_the_suffix_memory(network, piece):
    state = torch.randn(1, 1, SHAPE.hidden)
    batch = make_batch([(piece, 0, False)], 1, [False])
    events, guess = torch.tensor([[[4, 1, 40, 3, 3]]]), torch.tensor([[[5, 1, 40, 3, 3]]])
    asked = batch.outcome._replace(events=events, predicted=guess)
    nothing = network.initial(1).pointer
    copying, alone = (
        network.log_likelihood(state, asked._replace(match=torch.full((1, 1), match)), nothing)[0]
        for match in (4, 0)
    )
    assert float(copying[0, 0, 0]) < float(alone[0, 0, 0])
    assert torch.allclose(copying[0, 0, 1:], alone[0, 0, 1:])


def test_a_release_of_the_first_form_is_a_network_without_pointer():
    first = {"hidden": 32, "layers": 2, "bottleneck": 8, "head_size": 8, "memory": 6}
    shape = NetworkShape.of_release({**first, "field_hidden": 16, "conditions": 12})
    assert (shape.pointer_memory, shape.match_classes, shape.conditions) == (0, 5, 12)
    torch.manual_seed(1)
    made = LstmAcm(shape).eval()
    piece = prepared(np.tile(np.array([[2, 0, 40, 3, 3]], dtype=np.uint8), (20, 1)))
    _, likelihood = foretold(made, piece, (10, 10))
    assert torch.isfinite(likelihood).all()


def test_the_published_sizes_are_the_default():
    shape = NetworkShape()
    assert (shape.hidden, shape.layers) == (256, 4)
    made = LstmAcm(shape)
    heads = sum(scale.distance_bias.shape[0] for scale in made.attention.scales)
    assert heads == 6
