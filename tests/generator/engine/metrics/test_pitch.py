import math

import numpy as np
import pytest

from generator.engine.metrics.line import make_line
from generator.engine.metrics.pitch import (
    equal_numbers,
    in_asked_key,
    in_estimated_key,
    in_key_rate,
    pitch_class_entropy,
    pitch_divergence,
    raised_sevenths,
    scale_consistency,
)
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


def test_the_key_is_estimated_eight_bars_at_a_time():
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    onsets = np.arange(0, 16 * 16, 8)
    pitches = np.concatenate([60 + np.tile(scale, 2), 66 + np.tile(scale, 2)])
    line = make_line(onsets, pitches, np.full(len(onsets), 8))
    assert in_estimated_key(line) == 1.0
    assert in_asked_key(line) < 0.8


def test_one_foreign_note_in_eight_lies_outside_the_asked_key():
    pitches = [60, 62, 64, 65, 67, 69, 71, 61]
    line = make_line(range(0, 64, 8), pitches, np.full(8, 8))
    assert in_asked_key(line) == pytest.approx(7 / 8)
    assert scale_consistency(np.array(pitches)) == pytest.approx(7 / 8)


def test_one_of_three_sevenths_in_minor_is_raised():
    pitches = np.array([57, 67, 68, 69, 79, 71])
    line = make_line(range(0, 48, 8), pitches, np.full(6, 8), tonic=9, mode="minor")
    assert raised_sevenths(line) == pytest.approx(1 / 3)
    assert math.isnan(raised_sevenths(make_line([0, 8], [69, 71], [8, 8], tonic=9, mode="minor")))
    assert math.isnan(raised_sevenths(make_line([0, 8], [70, 71], [8, 8])))


def test_pitch_classes_forget_the_octave():
    assert pitch_divergence(np.array([60, 64]), np.array([72, 76]), 12) == pytest.approx(0.0)
    assert pitch_divergence(np.array([60, 64]), np.array([72, 76])) > 5


def test_corpora_are_compared_at_equal_numbers():
    first, second = equal_numbers(np.arange(5), np.arange(50), np.random.default_rng(1))
    assert first.tolist() == [0, 1, 2, 3, 4]
    assert len(set(second.tolist())) == 5
