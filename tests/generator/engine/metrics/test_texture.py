import numpy as np
import pytest

from generator.engine.metrics.texture import N_FEATURES, stretches, texture_features

MELODY, INNER, BASS, PAD = range(4)


def music(n_bars=8, inner=(60, 64, 67), melody_step=4, bass=(36, 43)):
    """A melody in quarters, a chord a bar, two bass notes a bar: (onset, pitch, role) rows."""
    rows = []
    for start in range(0, 16 * n_bars, 16):
        rows += [(start + at, 72 + at // 4, MELODY) for at in range(0, 16, melody_step)]
        rows += [(start, pitch, INNER) for pitch in inner]
        rows += [(start + 8 * index, pitch, BASS) for index, pitch in enumerate(bass)]
    return np.array(sorted(rows)).T


def test_features_of_a_stretch_say_how_its_parts_move():
    features = texture_features(*music())
    assert features.shape == (N_FEATURES,)
    places, together, alike = features[12:20], features[69:72], features[75]
    assert places.tolist() == pytest.approx([0.25, 0, 0.25, 0, 0.25, 0, 0.25, 0])
    assert together.tolist() == [0, 0, 1]
    assert alike == 1.0
    assert features[76:84].tolist() == [0.5, 0, 0, 0, 0.5, 0, 0, 0]


def test_what_the_plan_fixes_changes_nothing():
    onsets, pitches, roles = music()
    higher = texture_features(onsets, pitches + 12, roles)
    padded = np.column_stack([(onsets, pitches, roles), [[0, 0], [50, 53], [PAD, PAD]]])
    assert np.allclose(texture_features(onsets, pitches, roles), higher)
    assert np.allclose(texture_features(*padded), higher)


def test_stretches_begin_every_four_bars_and_need_all_parts():
    assert len(list(stretches(*music(16)))) == 3
    onsets, pitches, roles = music(16)
    for role in (MELODY, INNER, BASS):
        rest = roles != role
        assert not list(stretches(onsets[rest], pitches[rest], roles[rest]))
    assert not list(stretches(*music(7)))
    assert not list(stretches(*(np.zeros(0, dtype=int),) * 3))


def test_only_melodies_as_dense_as_asked_are_heard():
    assert list(stretches(*music(melody_step=4), (2.0, 6.5)))
    assert not list(stretches(*music(melody_step=2), (2.0, 6.5)))
    assert not list(stretches(*music(melody_step=16), (2.0, 6.5)))
