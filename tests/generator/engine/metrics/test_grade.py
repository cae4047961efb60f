import numpy as np
import pytest

from generator.engine.metrics.grade import Grade, HumanScale, human_scale
from generator.engine.metrics.line import make_line


def tune(seed):
    rng = np.random.default_rng(seed)
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    onsets, degrees = [], []
    for bar in range(16):
        places = (0, 4, 8, 12) if rng.random() < 0.6 else (0, 4, 6, 8, 12, 14)
        onsets += [bar * 16 + place for place in places]
    degree = 3
    for _ in onsets:
        degree = int(np.clip(degree + rng.choice((-2, -1, -1, 1, 1, 2)), 0, 7))
        degrees.append(degree)
    return make_line(onsets, scale[degrees], np.full(len(onsets), 2))


@pytest.fixture(scope="module")
def scale():
    return human_scale([tune(seed) for seed in range(200)])


def test_human_pieces_are_as_usual_as_human_pieces_are(scale):
    shares = np.array([list(scale.typicality(tune(seed)).values()) for seed in range(300, 400)])
    assert np.all(np.abs(shares.mean(axis=0) - 0.5) < 0.12)


def test_most_human_pieces_are_kept_and_noise_is_turned_down(scale):
    kept = [scale.is_acceptable(tune(seed)) for seed in range(300, 400)]
    assert np.mean(kept) > 0.75
    rng = np.random.default_rng(5)
    noise = make_line(np.sort(rng.choice(256, 80, False)), rng.integers(40, 90, 80), np.ones(80))
    assert not scale.is_acceptable(noise)
    assert scale.grade(noise) is Grade.AVERAGE


def test_a_piece_in_the_middle_of_all_measures_is_excellent(scale):
    best = max(
        (tune(seed) for seed in range(400, 460)), key=lambda t: min(scale.typicality(t).values())
    )
    assert scale.grade(best) is Grade.EXCELLENT
    assert scale.is_acceptable(best)


def test_a_scale_re_reads_from_a_release(scale):
    again = HumanScale.of_arrays({**scale.arrays(), "harmony": np.zeros(3)})
    found, expected = again.typicality(tune(7)), scale.typicality(tune(7))
    assert found == expected


def test_a_release_without_a_scale_has_none():
    assert HumanScale.of_arrays({"harmony": np.zeros(3)}) is None
