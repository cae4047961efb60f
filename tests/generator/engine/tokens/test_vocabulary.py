import numpy as np

from generator.engine.tokens.vocabulary import (
    METRES,
    N_POSITIONS,
    SIZES,
    phrase_ids,
    position_ids,
    vocabulary_hash,
)


def test_every_place_of_every_metre_has_an_id_of_its_own():
    ids = [i for metre in METRES for i in position_ids(np.arange(metre.steps), metre)]
    assert sorted(ids) == list(range(N_POSITIONS))


def test_every_field_fits_a_byte():
    assert max(SIZES) <= 256


def test_phrases_count_eight_bars_and_begin_again():
    bars = np.arange(10) * 16
    assert phrase_ids(bars, METRES[0]).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]


def test_the_hash_is_known_so_that_a_change_of_meaning_is_noticed():
    assert vocabulary_hash() == "ab02e93cae19597a"
