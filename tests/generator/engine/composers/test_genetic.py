import numpy as np
import pytest

from generator.engine.composers.genetic import _MUTATIONS
from generator.engine.composers.sampling import draw


@pytest.mark.parametrize("mutate", _MUTATIONS, ids=lambda m: m.__name__)
def test_mutations_keep_genomes_legal_and_change_something(mutate):
    rng = np.random.default_rng(1)
    before = rng.integers(-1, 12, size=(64, 32))
    after = mutate(before.copy(), 12, rng)
    assert after.shape == before.shape
    assert after.min() >= -1
    assert after.max() < 12
    assert (after != before).any()


def test_drawing_never_takes_what_is_forbidden():
    rng = np.random.default_rng(1)
    weights = np.array([-np.inf, 0.0, -np.inf, 1.0])
    drawn = [draw(weights, rng) for _ in range(400)]
    assert set(drawn) == {1, 3}
    assert 0.6 < np.mean(np.array(drawn) == 3) < 0.85


def test_a_nucleus_drops_the_tail():
    rng = np.random.default_rng(1)
    weights = np.log(np.array([0.6, 0.35, 0.05]))
    assert {draw(weights, rng, top_p=0.9) for _ in range(300)} == {0, 1}
