from questionnaires.instruments import score_answers
from questionnaires.instruments.track_rating import TRACK_RATING


def test_two_taps_rate_a_track():
    scores = score_answers(TRACK_RATING, {"calming": 4, "liked": 2})
    assert scores.values == {"calming_points": 4, "liked_points": 2, "is_unwanted": 0}
    assert scores.n_missing == 0


def test_a_track_that_is_not_wanted_again_says_so():
    scores = score_answers(TRACK_RATING, {"calming": 1, "liked": None, "never_again": 1})
    assert scores.values == {"calming_points": 1, "liked_points": None, "is_unwanted": 1}
    assert scores.n_missing == 1
