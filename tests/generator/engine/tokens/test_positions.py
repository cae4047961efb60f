import numpy as np

from generator.engine.tokens.positions import PositionTable


def remembered(table, hashes, positions):
    hashes = np.array(hashes, dtype=np.uint64)
    table.remember(hashes, table.places(hashes), positions)


def looked_up(table, hashes):
    return table.positions(table.places(np.array(hashes, dtype=np.uint64))).tolist()


def test_what_was_never_seen_has_no_position():
    assert looked_up(PositionTable(), [1, 2**64 - 1]) == [-1, -1]


def test_the_last_position_counts():
    table = PositionTable()
    remembered(table, [5, 6], 3)
    remembered(table, [6, 7], 4)
    assert looked_up(table, [5, 6, 7, 8]) == [3, 4, 4, -1]


def test_hashes_that_want_one_place_all_find_one():
    # Multiples of the inverse of the spreading factor: all of them spread to the lowest places.
    inverse = pow(0x9E3779B97F4A7C15, -1, 1 << 64)
    hashes = [inverse * n % (1 << 64) for n in range(1, 60)]
    table = PositionTable()
    remembered(table, hashes[:40], np.arange(40))
    remembered(table, hashes[20:], np.arange(100, 139))
    assert looked_up(table, hashes) == [*range(20), *range(100, 139)]


def test_a_table_that_grows_answers_as_a_dictionary_does():
    rng = np.random.default_rng(1)
    table, known = PositionTable(), {}
    for position in range(80):
        hashes = np.unique(rng.integers(1, 20_000, size=400, dtype=np.uint64))
        expected = [known.get(key, -1) for key in hashes.tolist()]
        places = table.places(hashes)
        assert table.positions(places).tolist() == expected
        table.remember(hashes, places, position)
        known |= dict.fromkeys(hashes.tolist(), position)
    assert looked_up(table, list(known)) == list(known.values())
    assert len(known) > 1 << 12
