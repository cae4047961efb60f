import numpy as np
import pytest

from generator.engine.score.scales import MAJOR, estimate_key, scale_mask, triad


def test_the_key_of_d_major_holds_two_sharps():
    assert np.flatnonzero(scale_mask(2, "major")).tolist() == [1, 2, 4, 6, 7, 9, 11]


def test_the_fifth_degree_of_minor_is_minor():
    assert triad(4, "minor") == (7, 10, 2)


@pytest.mark.parametrize("tonic", range(12))
def test_a_scale_weighted_on_its_triad_is_heard_in_its_key(tonic):
    histogram = np.zeros(12)
    histogram[[(tonic + degree) % 12 for degree in MAJOR]] = 1.0
    histogram[[tonic, (tonic + 4) % 12, (tonic + 7) % 12]] = 3.0
    assert estimate_key(histogram) == (tonic, "major")
