import numpy as np
import pytest

from generator.engine.networks.backoff import BackoffTable, context_hash, count_order

SYMBOLS = np.array([0, 1, 0, 1, 2, 0, 1, 0])
CONTEXTS = np.array([[9], [0], [1], [0], [1], [2], [0], [1]])


@pytest.fixture
def table():
    pieces = np.arange(len(SYMBOLS))
    return BackoffTable(
        4,
        (
            count_order(context_hash(np.zeros((8, 1))), SYMBOLS, pieces),
            count_order(context_hash(CONTEXTS), SYMBOLS, pieces),
        ),
    )


@pytest.mark.parametrize("context", [0, 1, 2, 77])
def test_every_context_gives_a_distribution(table, context):
    p = table.distribution([np.array([0]), np.array([context])])
    assert p.sum() == pytest.approx(1.0)
    assert (p > 0).all()


def test_a_known_context_speaks_for_what_followed_it(table):
    assert table.distribution([np.array([0]), np.array([0])]).argmax() == 1


def test_an_unknown_context_leans_on_the_shorter_one(table):
    unknown = table.distribution([np.array([0]), np.array([77])])
    assert unknown.tolist() == table.distribution([np.array([0])]).tolist()


def test_many_moments_at_once_agree_with_one_at_a_time(table):
    keys = [context_hash(np.zeros((8, 1))), context_hash(CONTEXTS)]
    together = table.probabilities(keys, SYMBOLS)
    alone = [
        table.distribution([np.array([0]), context])[symbol]
        for context, symbol in zip(CONTEXTS, SYMBOLS, strict=True)
    ]
    assert together == pytest.approx(alone)


def test_a_piece_that_repeats_itself_counts_once():
    keys, symbols = context_hash(np.zeros((5, 1))), np.array([3, 3, 3, 3, 1])
    table = BackoffTable(4, (count_order(keys, symbols, np.array([0, 0, 0, 0, 1])),))
    p = table.distribution([np.array([0])])
    assert p[3] == pytest.approx(p[1])


def test_tables_survive_the_way_through_arrays(table):
    again = BackoffTable.from_arrays("x", 4, table.arrays("x"))
    contexts = [np.array([0]), np.array([1])]
    assert again.distribution(contexts).tolist() == table.distribution(contexts).tolist()


def test_the_order_of_values_changes_the_hash():
    assert context_hash(np.array([[1, 2]])) != context_hash(np.array([[2, 1]]))
    assert context_hash(np.array([[1]])) != context_hash(np.array([[1, 0]]))
