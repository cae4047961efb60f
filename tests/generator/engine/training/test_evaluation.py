import csv

import numpy as np
import pytest

from generator.engine.networks.checkpoints import load_checkpoint
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.evaluation import (
    EventChain,
    HeldOut,
    advantages,
    chain_nll,
    network_nll,
    remembering_chain_nll,
    write_table,
)
from generator.engine.training.lstm_acm import train_lstm_acm
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
def chain(corpus):
    return EventChain(corpus.split("train"), 1, metrical=False)


def test_a_chain_gives_every_event_some_probability(chain, corpus):
    p = chain.probabilities(corpus.split("test"))
    assert (p > 0).all()
    assert (p <= 1).all()


def test_a_chain_that_has_learnt_beats_guessing(chain, corpus):
    held_out = chain_nll(chain, corpus.split("test"))
    assert held_out.per_field[2] < np.log(88) / 2
    assert held_out.counts.sum() == sum(len(p.events) for p in corpus.split("test"))


def test_the_copy_memory_does_not_hurt_a_chain(chain, corpus):
    test, valid = corpus.split("test"), corpus.split("valid")
    alone = chain_nll(chain, test).per_field.sum()
    assert remembering_chain_nll(chain, test, valid).per_field.sum() <= alone + 0.05


def test_a_network_is_scored_on_the_same_events(corpus, tmp_path):
    plan = TrainingPlan(
        minutes=1e9, max_steps=5, lanes=4, length=32, evaluate_every=5, originality_pieces=0
    )
    train_lstm_acm(corpus, tmp_path, plan, SHAPE)
    held_out = network_nll(load_checkpoint(tmp_path / "release"), corpus.split("test"))
    assert held_out.counts.sum() == sum(len(p.events) for p in corpus.split("test"))
    assert np.isfinite(held_out.totals).all()


def test_the_interval_is_taken_over_pieces():
    even = HeldOut(np.full((20, 5), 10.0), np.full(20, 10))
    assert even.interval() == (5.0, 5.0)
    uneven = HeldOut(np.arange(100.0).reshape(20, 5), np.full(20, 10))
    low, high = uneven.interval()
    assert low < uneven.per_field.sum() < high


def test_the_table_has_a_line_a_model(tmp_path):
    write_table(tmp_path / "t.csv", {"x": HeldOut(np.ones((2, 5)), np.array([1, 1]))})
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as lines:
        (row,) = list(csv.DictReader(lines))
    assert row["model"] == "x"
    assert float(row["total"]) == 5.0
    assert row["pieces"] == "2"


def test_what_a_model_saves_is_taken_piece_by_piece(corpus):
    pieces = corpus.split("test")
    counts = np.array([len(piece.events) for piece in pieces])
    # Pieces differ widely in difficulty; the saving is half a nat a note on each of them.
    difficulty = np.arange(1, len(pieces) + 1)[:, None] * np.ones((1, 5)) * counts[:, None]
    better = HeldOut(difficulty, counts)
    worse = HeldOut(difficulty + 0.1 * counts[:, None], counts)
    rows = advantages(better, worse, pieces)
    assert rows[0].style == "all"
    assert rows[0].n == len(pieces)
    assert {row.style for row in rows[1:]} == {piece.style.value for piece in pieces}
    assert all(row.saved == pytest.approx(0.5) for row in rows)
    assert all(row.low == pytest.approx(row.high) for row in rows)
