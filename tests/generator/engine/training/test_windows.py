import csv
from dataclasses import replace

import numpy as np
import pytest

from generator.engine.networks.shape import NetworkShape
from generator.engine.training.batches import prepare
from generator.engine.training.lstm_acm import scale_of, train_lstm_acm
from generator.engine.training.plan import parity_plan
from generator.engine.training.windows import Windows, window_spans

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
def pieces(corpus):
    train = corpus.split("train")
    scale = scale_of(train, 128)
    return [prepare(piece, scale, 128) for piece in train[:6]]


def test_a_window_holds_the_events_of_128_sixteenths_and_begins_every_32(corpus):
    events = corpus.pieces[0].events
    onsets = np.cumsum(events[:, 0].astype(int))
    spans = window_spans(events)
    for number, (at, size) in enumerate(spans[:5]):
        inside = (onsets >= 32 * number) & (onsets < 32 * number + 128)
        assert (at, size) == (int(np.flatnonzero(inside)[0]), int(inside.sum()))


def test_windows_stand_alone_and_count_their_own_events_only(pieces):
    batch = Windows(pieces, 5, 64, np.random.default_rng(1)).next()
    assert batch.begins.all()
    sizes = batch.counts.sum(dim=1).tolist()
    spans = {min(size, 64) for piece in pieces for _, size in window_spans(piece.events)}
    assert set(sizes) <= spans


def test_windows_go_on_from_where_chance_stood(pieces):
    first = Windows(pieces, 3, 64, np.random.default_rng(1))
    first.next()
    state, expected = first.state(), first.next()
    other = Windows(pieces, 3, 64, np.random.default_rng(9))
    other.restore(state)
    assert other.next().outcome.events.equal(expected.outcome.events)


def test_the_parity_plan_is_the_papers(corpus, tmp_path):
    plan = parity_plan(max_steps=12, evaluate_every=6, minutes=1e9, originality_pieces=0)
    assert (plan.learning_rate_at(0), plan.learning_rate_at(11)) == (5e-6, pytest.approx(6e-5))
    assert plan.learning_rate_at(5000) == 5e-4
    assert (plan.lanes, plan.windows) == (64, True)
    train_lstm_acm(corpus, tmp_path, replace(plan, lanes=4, learning_rate=1e-2), SHAPE)
    with (tmp_path / "curves.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert float(rows[1]["valid"]) < float(rows[0]["valid"])
