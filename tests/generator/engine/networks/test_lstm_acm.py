import numpy as np
import pytest
import torch

from generator.engine.networks.checkpoints import load_checkpoint, save_checkpoint
from generator.engine.networks.incremental import Listener, Network
from generator.engine.networks.lstm_acm import LstmAcm
from generator.engine.networks.shape import NetworkShape
from generator.engine.tokens.copying import copy_predictions
from generator.engine.tokens.vocabulary import METRES, SIZES, phrase_ids, position_ids
from generator.engine.training.batches import PreparedPiece, make_batch

SHAPE = NetworkShape(hidden=32, layers=2, bottleneck=8, head_size=8, memory=6, field_hidden=16)
N_EVENTS = 90


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    made = LstmAcm(SHAPE).eval()
    for parameter in made.parameters():
        # Fresh weights leave whole paths at zero; a test must run them all.
        parameter.data += 0.2 * torch.randn_like(parameter)
    return made


@pytest.fixture(scope="module")
def piece():
    rng = np.random.default_rng(2)
    shifts = rng.choice((0, 1, 2, 4, 7), size=N_EVENTS)
    columns = [shifts, *(rng.integers(size, size=N_EVENTS) for size in SIZES[1:])]
    return prepared(np.column_stack(columns).astype(np.uint8))


def prepared(events):
    onsets = np.cumsum(events[:, 0], dtype=np.int64)
    opens = np.ones((len(events), 3), dtype=bool)
    opens[1:, 1] = np.diff(onsets // 4) > 0
    opens[1:, 2] = np.diff(onsets // 16) > 0
    predicted, match = copy_predictions(events)
    conditions = np.linspace(-1, 1, SHAPE.conditions, dtype=np.float32)[None, :]
    return PreparedPiece(
        events,
        predicted,
        match,
        position_ids(onsets, METRES[0]),
        phrase_ids(onsets, METRES[0]),
        opens,
        conditions,
        0.5,
    )


@torch.no_grad()
def states(network, piece, sizes):
    carried, at, found = network.initial(1), 0, []
    for size in sizes:
        batch = make_batch([(piece, at, False)], size, [False])
        state, _, carried = network(batch.stretch, carried)
        found.append(state)
        at += size
    return torch.cat(found, dim=1)[0]


@pytest.mark.parametrize("sizes", [(30, 30, 30), (7, 50, 33), (1,) * N_EVENTS])
def test_stretches_with_carried_memory_equal_one_long_forward_pass(network, piece, sizes):
    whole = states(network, piece, (N_EVENTS,))
    assert torch.allclose(states(network, piece, sizes), whole, atol=1e-5)


def test_the_future_is_not_seen(network, piece):
    events = piece.events.copy()
    events[50:] = 1
    whole, changed = (states(network, p, (N_EVENTS,)) for p in (piece, prepared(events)))
    assert torch.equal(whole[:51], changed[:51])
    assert not torch.allclose(whole[51:], changed[51:])


def test_the_numpy_listener_equals_the_full_forward_pass(network, piece, tmp_path):
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    save_checkpoint(tmp_path, arrays, {"composer": "lstm_acm", "shape": SHAPE.as_dict()})
    whole = states(network, piece, (N_EVENTS,))
    batch = make_batch([(piece, 0, False)], N_EVENTS, [False])
    with torch.no_grad():
        logits = network.field_logits(whole[None], batch.outcome.events, batch.outcome.position)
    listener = Listener(Network(load_checkpoint(tmp_path)), piece.conditions[0])
    for index, event in enumerate(piece.events.tolist()):
        assert np.abs(listener.state - whole[index].numpy()).max() < 1e-5
        chain = listener.state
        for field in range(len(SIZES)):
            own = listener.logits(field, chain)
            assert np.abs(own - logits[field][0, index].numpy()).max() < 1e-5 * SHAPE.hidden
            if field + 1 < len(SIZES):
                landing = int(piece.position[index]) if field == 0 else None
                chain = listener.chained(field, chain, event[field], landing)
        listener.hear(
            tuple(event),
            int(piece.position[index]),
            int(piece.phrase[index]),
            opens_beat=bool(piece.opens[index, 1]),
            opens_bar=bool(piece.opens[index, 2]),
        )


def test_the_mixture_of_network_and_copy_head_is_a_distribution(network):
    state = torch.randn(1, 1, SHAPE.hidden)
    batch = make_batch([(prepared(np.ones((3, 5), dtype=np.uint8)), 0, False)], 1, [False])
    outcome = batch.outcome._replace(match=torch.full((1, 1), 3))
    guess = torch.tensor([[[4, 1, 40, 3, 3]]])
    total = 0.0
    for shift in range(SIZES[0]):
        events = guess.clone()
        events[..., 0] = shift
        asked = outcome._replace(events=events, predicted=guess)
        with torch.no_grad():
            total += float(network.log_likelihood(state, asked)[0, 0, 0].exp())
    assert total == pytest.approx(1.0, abs=1e-5)


def test_a_wrong_copy_ends_the_influence_of_the_copy_head(network):
    state = torch.randn(1, 1, SHAPE.hidden)
    batch = make_batch([(prepared(np.ones((3, 5), dtype=np.uint8)), 0, False)], 1, [False])
    events, guess = torch.tensor([[[4, 1, 40, 3, 3]]]), torch.tensor([[[5, 1, 40, 3, 3]]])
    asked = batch.outcome._replace(events=events, predicted=guess)
    with torch.no_grad():
        copying = network.log_likelihood(state, asked._replace(match=torch.full((1, 1), 4)))
        alone = network.log_likelihood(state, asked._replace(match=torch.zeros(1, 1)))
    assert float(copying[0, 0, 0]) < float(alone[0, 0, 0])
    assert torch.allclose(copying[0, 0, 1:], alone[0, 0, 1:])


def test_the_published_sizes_are_the_default():
    shape = NetworkShape()
    assert (shape.hidden, shape.layers) == (256, 4)
    made = LstmAcm(shape)
    heads = sum(scale.distance_bias.shape[0] for scale in made.attention.scales)
    assert heads == 6
