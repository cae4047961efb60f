import numpy as np

from generator.engine.metrics.calm import calm_scale, stretch_density, stretch_features


def stretch(gap, interval, duration):
    events = np.zeros((40, 5), dtype=np.uint8)
    events[:, 0] = gap
    events[:, 2] = 40 + interval * (np.arange(40) % 2)
    events[:, 3] = duration
    events[:, 4] = 3
    return np.cumsum(events[:, 0]), events


def test_slow_long_and_narrow_is_calmer_than_fast_short_and_wide():
    rng = np.random.default_rng(1)
    rows = [
        stretch_features(*stretch(int(g), int(i), int(d)))
        for g, i, d in zip(
            rng.integers(1, 9, 300), rng.integers(0, 12, 300), rng.integers(0, 20, 300), strict=True
        )
    ]
    scale = calm_scale(np.array(rows))
    slow = scale.rank(stretch_features(*stretch(8, 1, 18)))
    fast = scale.rank(stretch_features(*stretch(1, 11, 0)))
    assert 0.0 <= fast < 0.4 < 0.6 < slow <= 1.0
    middle = np.mean([scale.rank(row) for row in rows])
    assert 0.4 < middle < 0.6


def test_density_counts_onsets_a_beat_and_chords_once():
    assert stretch_density(np.array([0, 0, 0, 4, 8])) == 1.5
