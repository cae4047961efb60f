import math

import numpy as np
import pytest

from generator.engine.metrics.pitch import in_key_rate, pitch_class_entropy, pitch_divergence
from generator.engine.score.notes import Note, Part, Role, Score, TempoMark


def score_of(*pitches, tonic=0):
    notes = tuple(Note(4 * i, 4, pitch, 50) for i, pitch in enumerate(pitches))
    return Score((Part(Role.MELODY, 0, notes),), (TempoMark(0, 60.0),), tonic=tonic)


def test_three_of_four_notes_in_the_key():
    assert in_key_rate(score_of(60, 62, 64, 61)) == 0.75
    assert in_key_rate(score_of(62, 64, 66, 67, tonic=2)) == 1.0


def test_a_score_without_notes_has_no_rate():
    assert math.isnan(in_key_rate(score_of()))


def test_all_twelve_classes_evenly_are_the_widest_entropy():
    assert pitch_class_entropy(np.arange(60, 72)) == pytest.approx(math.log2(12))
    assert pitch_class_entropy(np.array([60, 72])) == 0.0


def test_divergence_is_zero_from_oneself_and_positive_else():
    pitches = np.array([60, 62, 64, 60])
    assert pitch_divergence(pitches, pitches) == pytest.approx(0.0)
    assert pitch_divergence(pitches, pitches + 1) > 1.0
