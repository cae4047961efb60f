from itertools import pairwise

import numpy as np
import pytest

from generator.engine.metrics.line import make_line
from generator.engine.metrics.style import (
    N_FEATURES,
    drawn_distance,
    excerpt_features,
    excerpts,
    frechet_distance,
    style_space,
)


def walk(seed, n_bars=16, steps=(-2, -1, 0, 1, 2)):
    rng = np.random.default_rng(seed)
    onsets = np.sort(rng.choice(n_bars * 8, n_bars * 4, replace=False)) * 2
    pitches = 67 + np.clip(np.cumsum(rng.choice(steps, len(onsets))), -12, 12)
    return make_line(onsets, pitches, np.full(len(onsets), 2))


def features(seeds, **options):
    return np.array(
        [excerpt_features(e) for seed in seeds for e in excerpts(walk(seed, **options))]
    )


def test_an_excerpt_has_89_features_and_its_histograms_sum_to_one():
    line = walk(1)
    assert len(list(excerpts(line))) == 3
    found = excerpt_features(next(excerpts(line)))
    assert found.shape == (N_FEATURES,)
    starts = np.cumsum([0, 12, 16, 25, 17, 10])
    for start, end in pairwise(starts):
        assert found[start:end].sum() == pytest.approx(1.0)


def test_a_transposed_excerpt_has_the_same_pitch_classes_and_intervals():
    line = walk(2)
    moved = make_line(line.onsets, line.pitches + 5, line.durations)
    here, there = (excerpt_features(next(excerpts(a))) for a in (line, moved))
    assert np.allclose(here[:80], there[:80])


def test_a_known_pair_of_gaussians_has_its_known_distance():
    rng = np.random.default_rng(3)
    first = rng.standard_normal((200_000, 2))
    second = first * np.array([2.0, 3.0]) + np.array([1.0, 0.0])
    # |mean|^2 + sum (s1 - s2)^2 = 1 + (2 - 1)^2 + (3 - 1)^2
    assert frechet_distance(first, second) == pytest.approx(6.0, rel=0.03)


def test_a_body_of_music_lies_nearer_to_its_like_than_to_others():
    space = style_space(features(range(60)), 8)
    reference = space.project(features(range(60)))
    rng = np.random.default_rng(4)
    like = drawn_distance(space.project(features(range(100, 140))), reference, 80, 3, rng)
    unlike = space.project(features(range(200, 240), steps=(-7, -5, 5, 7)))
    assert like < 0.25 * drawn_distance(unlike, reference, 80, 3, rng)


def test_too_few_excerpts_give_no_distance():
    points = np.zeros((10, 4))
    assert np.isnan(drawn_distance(points, points, 11, 2, np.random.default_rng(1)))


def test_whitened_training_excerpts_have_unit_spread():
    found = features(range(60))
    projected = style_space(found, 8).project(found)
    assert np.allclose(np.cov(projected.T), np.eye(8), atol=1e-6)
