import numpy as np
import pytest
import torch

from generator.engine.composers.stream import StreamSettings
from generator.engine.composers.streams import sample_streams
from generator.engine.errors import EngineUnavailable
from generator.engine.networks import onnx_graph
from generator.engine.networks.batched import FastListener, fast_network
from generator.engine.networks.checkpoints import load_checkpoint, save_checkpoint
from generator.engine.networks.incremental import Listener, Network
from generator.engine.tokens.vocabulary import PITCH_LOWEST, SIZES
from generator.engine.training.batches import make_batch
from generator.engine.training.fast_likelihood import fast_nll
from tests.generator.small_network import SHAPE, returning_piece, small_network

needs_onnx = pytest.mark.skipif(
    onnx_graph.onnxruntime is None, reason="the extra 'fast' (onnx, onnxruntime) is not installed"
)


@pytest.fixture(scope="module")
def network():
    return small_network()


@pytest.fixture(scope="module")
def piece():
    return returning_piece()


@pytest.fixture(scope="module")
def released(network, tmp_path_factory):
    """The same network as a release that numpy reads."""
    directory = tmp_path_factory.mktemp("release")
    arrays = {name: value.numpy() for name, value in network.state_dict().items()}
    save_checkpoint(directory, arrays, {"composer": "lstm_acm", "shape": SHAPE.as_dict()})
    return Network(load_checkpoint(directory))


def test_a_machine_without_the_extra_says_what_to_install(released, monkeypatch):
    monkeypatch.setattr(onnx_graph, "onnxruntime", None)
    with pytest.raises(EngineUnavailable, match=r"requirements-fast\.txt"):
        fast_network(released, hears=True)


def hear(listener, piece, index):
    listener.hear(
        tuple(piece.events[index].tolist()),
        int(piece.position[index]),
        int(piece.phrase[index]),
        opens_beat=bool(piece.opens[index, 1]),
        opens_bar=bool(piece.opens[index, 2]),
    )


@needs_onnx
def test_the_fast_engine_leaves_the_arithmetic_of_the_process_as_it_is(released):
    fast_network(released, hears=True)
    # The runtime can flush numbers below 2e-308 to zero, for its whole process.
    assert np.multiply(np.array([5e-324]), 1.0)[0] > 0.0


@needs_onnx
def test_the_exact_engine_equals_numpy_event_by_event(released, piece):
    conditions = piece.conditions[0]
    slow = Listener(released, conditions)
    fast = FastListener(fast_network(released, exact=True, hears=True), conditions)
    for index in range(len(piece)):
        assert np.abs(slow.state - fast.state).max() < 1e-5
        if index == 50:
            for listener in (slow, fast):
                listener.ask_for(0.3 * conditions)
        hear(slow, piece, index)
        hear(fast, piece, index)


@needs_onnx
def test_the_exact_engine_scores_a_piece_as_torch_does(network, released, piece):
    batch = make_batch([(piece, 0, True)], len(piece), [False])
    with torch.no_grad():
        log_p, _, _ = network.foretell(batch.stretch, batch.outcome, network.initial(1))
    found = fast_nll(fast_network(released, exact=True, scores=True), [piece, piece], lanes=2)
    assert found.counts.tolist() == [len(piece)] * 2
    expected = -log_p[0].sum(dim=0).numpy()
    for row in found.totals:
        assert row == pytest.approx(expected, abs=1e-3)


@needs_onnx
def test_int8_costs_little_likelihood(released, piece):
    exact, small = (
        fast_nll(fast_network(released, exact=exact, scores=True), [piece]).totals.sum()
        for exact in (True, False)
    )
    assert small == pytest.approx(exact, rel=0.02)
    assert small != exact


@needs_onnx
def test_a_stream_does_not_depend_on_the_others_in_its_batch(released):
    fast = fast_network(released, chooses=True)
    nothing = np.zeros((20, released.shape.conditions), dtype=np.float32)
    together = sample_streams(fast, nothing, 60, range(20))
    alone = sample_streams(fast, nothing[:1], 60, [3])
    assert (together[3] == alone[0]).all()
    assert len({row.tobytes() for row in together}) == 20


@needs_onnx
def test_streams_draw_what_numpy_foretells(released):
    """The first event's shift over many seeds has the distribution that the listener states."""
    n = 800
    fast = fast_network(released, exact=True, chooses=True)
    nothing = np.zeros((n, released.shape.conditions), dtype=np.float32)
    settings = StreamSettings(top_p=1.0)
    drawn = sample_streams(fast, nothing, 1, range(n), settings)[:, 0]
    listener = Listener(released, nothing[0])
    p = np.exp(listener.log_distribution(listener.state, ()))
    shares = np.bincount(drawn[:, 0], minlength=SIZES[0]) / n
    assert np.abs(shares - p).max() < 4 * np.sqrt(0.25 / n)


@needs_onnx
def test_only_the_nucleus_is_drawn_from(released):
    n = 400
    fast = fast_network(released, exact=True, chooses=True)
    nothing = np.zeros((n, released.shape.conditions), dtype=np.float32)
    drawn = sample_streams(fast, nothing, 1, range(n), StreamSettings(top_p=0.3))[:, 0]
    listener = Listener(released, nothing[0])
    p = np.exp(listener.log_distribution(listener.state, ()))
    order = np.argsort(-p)
    kept = order[np.cumsum(p[order]) - p[order] < 0.3]
    assert set(drawn[:, 0]) <= set(kept.tolist())


@needs_onnx
def test_each_field_may_have_a_nucleus_of_its_own(released):
    fast = fast_network(released, exact=True, chooses=True)
    nothing = np.zeros((60, released.shape.conditions), dtype=np.float32)
    settings = StreamSettings(top_p=(1e-6, 1.0, 1.0, 1.0, 1.0))
    drawn = sample_streams(fast, nothing, 1, range(60), settings)[:, 0]
    assert len(set(drawn[:, 0])) == 1 < len(set(drawn[:, 2]))


@needs_onnx
def test_a_mask_forbids_values(released):
    allowed = np.ones(sum(SIZES), dtype=np.float32)
    pitches = slice(SIZES[0] + SIZES[1], SIZES[0] + SIZES[1] + SIZES[2])
    white = np.isin((np.arange(SIZES[2]) + PITCH_LOWEST) % 12, (0, 2, 4, 5, 7, 9, 11))
    allowed[pitches] = white
    fast = fast_network(released, chooses=True)
    nothing = np.zeros((8, released.shape.conditions), dtype=np.float32)
    drawn = sample_streams(fast, nothing, 50, range(8), allowed=allowed)
    assert white[drawn[..., 2]].all()
