import numpy as np

from generator.engine.tokens.copying import CopyMemory, copy_predictions

FIGURE = [(4, 0, 40, 3, 3), (2, 0, 42, 1, 3), (2, 0, 44, 1, 3), (4, 0, 45, 3, 3), (4, 0, 42, 3, 3)]


def figure(transposition=0):
    return [(s, r, p + transposition, d, v) for s, r, p, d, v in FIGURE]


def test_nothing_is_predicted_before_anything_was_said():
    assert CopyMemory().predict() == (None, 0)


def test_a_figure_that_returns_is_foretold():
    events = np.array(figure() * 3, dtype=np.uint8)
    predicted, match = copy_predictions(events)
    assert match[-1] > 0
    assert predicted[-1].tolist() == events[-1].tolist()


def test_a_figure_is_recognised_in_another_key():
    tail = [(2, 0, 47, 1, 3), (2, 0, 49, 1, 3), (4, 0, 45, 3, 3)]
    moved = [(s, r, p + 5, d, v) for s, r, p, d, v in tail]
    events = np.array(figure() + tail + figure(5) + moved, dtype=np.uint8)
    predicted, match = copy_predictions(events)
    assert match[-1] > 0
    assert predicted[-1].tolist() == events[-1].tolist()


def test_longer_matches_have_higher_classes():
    events = np.array(figure() * 4, dtype=np.uint8)
    _, match = copy_predictions(events)
    assert match[-1] == 4


def test_what_is_too_near_is_not_copied():
    near = CopyMemory(min_distance=40)
    for event in figure() * 4:
        near.append(event)
    assert near.predict() == (None, 0)


def test_predictions_look_at_the_past_alone():
    rng = np.random.default_rng(1)
    events = np.array([FIGURE[i] for i in rng.integers(5, size=60)], dtype=np.uint8)
    whole, _ = copy_predictions(events)
    changed = events.copy()
    changed[40:] = 1
    assert (copy_predictions(changed)[0][:40] == whole[:40]).all()
