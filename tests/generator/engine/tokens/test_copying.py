import numpy as np

from generator.engine.tokens.copying import CopyMemories, CopyMemory, copy_predictions

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


def test_pieces_side_by_side_foretell_what_each_does_alone():
    rng = np.random.default_rng(3)
    events = rng.integers((0, 0, 0, 0, 0), (2, 2, 3, 3, 8), size=(300, 4, 5))
    events[60:110, 1] = events[5:55, 1]
    # A tune that climbs until its continuation would leave the piano.
    events[:, 2, :3] = np.column_stack([np.ones(300), np.zeros(300), np.arange(300) % 88])
    together, alone = CopyMemories(4), [CopyMemory() for _ in range(4)]
    classes = set()
    for row in events:
        guesses, match = together.predict()
        for piece, memory in enumerate(alone):
            guess, expected = memory.predict()
            assert match[piece] == expected
            assert guesses[piece].tolist() == list(guess or (0,) * 5)
            memory.append(tuple(row[piece].tolist()))
        classes |= set(match.tolist())
        together.append(row)
    assert classes >= {0, 1, 6}
