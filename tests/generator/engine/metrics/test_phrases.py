import numpy as np
import pytest

from generator.engine.metrics.phrases import FEATURES, phrase_features, previous_slot


def features(slots, pitches, bars=2):
    begins, filled = np.zeros((1, 8 * bars), dtype=bool), np.zeros((1, 8 * bars), dtype=int)
    begins[0, slots], filled[0, slots] = True, pitches
    return dict(zip(FEATURES, phrase_features(begins, filled)[0], strict=True))


def test_a_scale_in_quarters_is_all_steps_on_the_beat():
    found = features(range(0, 16, 2), [60, 62, 64, 65, 67, 69, 71, 72])
    assert found["steps"] == 1.0
    assert found["on the beat"] == 1.0
    assert found["rhythm kept"] == 1.0
    assert found["gap spread"] == 0.0
    assert found["range"] == 12
    assert found["turns"] == 0.0


def test_leaps_repeats_and_turns_are_told_apart():
    found = features([0, 1, 2, 5], [60, 67, 60, 60])
    assert found["leaps"] == pytest.approx(2 / 3)
    assert found["repeated notes"] == pytest.approx(1 / 3)
    assert found["turns"] == pytest.approx(1 / 3)
    assert found["bars begun"] == 0.5


def test_a_phrase_without_notes_is_measured_without_error():
    assert np.isfinite(phrase_features(np.zeros((3, 16), bool), np.zeros((3, 16), int))).all()


def test_the_previous_slot_is_the_last_that_began():
    begins = np.array([[True, False, True, False]])
    assert previous_slot(begins).tolist() == [[-1, 0, 0, 2]]
