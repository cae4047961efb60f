import numpy as np
import pytest

from generator.engine.brief import Style
from generator.engine.errors import CheckpointError
from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.genres import (
    changed,
    changes,
    genre_network,
    genres_of,
    packed,
)

SHAPES = {"start": (8,), "matrix": (24, 32), "kernel": (16, 16, 3)}


@pytest.fixture
def before():
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=shape).astype(np.float16) for name, shape in SHAPES.items()}


def moved(before, rank, seed=2):
    """Return arrays whose matrices have moved by a change of this rank."""
    rng = np.random.default_rng(seed)
    after = {}
    for name, array in before.items():
        rows = len(array)
        right = rng.normal(size=(rank, array.size // rows))
        step = rng.normal(size=(rows, rank)) @ right
        after[name] = array + 0.1 * step.reshape(array.shape).astype(np.float32)
    return after


def test_a_change_of_low_rank_is_kept_whole(before):
    after = moved(before, rank=2)
    again = changed(before, changes(before, after, rank=2))
    assert all(np.allclose(again[name], after[name], atol=5e-3) for name in before)


def test_what_is_lost_shrinks_as_the_rank_grows_and_the_space_grows(before):
    after = moved(before, rank=12)
    lost, size = [], []
    for rank in (1, 4, 8):
        change = changes(before, after, rank)
        again = changed(before, change)
        lost.append(sum(np.abs(again[name] - after[name]).sum() for name in before))
        size.append(sum(array.nbytes for array in change.values()))
    assert lost[0] > lost[1] > lost[2]
    assert size[0] < size[1] < size[2] < 2 * sum(array.size for array in before.values())


def test_each_genre_has_the_network_that_was_learnt_from_it(before):
    base = Checkpoint(before, {"shape": {}}, "lstm_acm-1")
    after = {style: moved(before, 2, seed) for seed, style in enumerate((Style.FOLK, Style.JAZZ))}
    own = {style: changes(before, arrays, 2) for style, arrays in after.items()}
    genres = Checkpoint(packed(own), {"base": "lstm_acm-1"}, "fusion-1")
    assert genres_of(base, genres) == (Style.FOLK, Style.JAZZ)
    for style, arrays in after.items():
        network = genre_network(base, genres, style)
        assert network.config == base.config
        assert np.allclose(network.arrays["matrix"], arrays["matrix"], atol=5e-3)


def test_genres_of_another_network_are_refused(before):
    base = Checkpoint(before, {}, "lstm_acm-2")
    with pytest.raises(CheckpointError, match="lstm_acm-2 were expected, got those of lstm_acm-1"):
        genres_of(base, Checkpoint({}, {"base": "lstm_acm-1"}, "fusion-1"))


@pytest.mark.parametrize("name", ["start", "matrix.left"])
def test_a_change_that_is_missing_or_of_another_shape_is_named(before, name):
    change = changes(before, before, 2)
    with pytest.raises(CheckpointError, match=name.removesuffix(".left")):
        changed(before, {key: value for key, value in change.items() if key != name})
    with pytest.raises(CheckpointError, match=name.removesuffix(".left")):
        changed(before, {**change, name: np.zeros((3, 5))})
