import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments import score_answers
from questionnaires.instruments.instrument import Kind
from questionnaires.instruments.morning_diary import MORNING_DIARY

ANSWERS = {
    "latency_band": 2,
    "awakenings_band": 1,
    "sleep_band": 3,
    "quality": 4,
    "rested": 5,
    "music": 2,
}


def test_the_diary_takes_six_taps_and_nothing_to_type():
    assert [item.kind for item in MORNING_DIARY.items] == [Kind.CHOICE] * 6
    assert all(item.asked_if is None for item in MORNING_DIARY.items)


def test_bands_give_their_lower_bounds_and_ratings_stay():
    assert score_answers(MORNING_DIARY, ANSWERS).values == {
        "latency_at_least_min": 30,
        "awakenings_at_least": 1,
        "sleep_at_least_h": 7,
        "quality_points": 4,
        "rested_points": 5,
    }


def test_there_is_no_time_in_bed_and_so_no_efficiency():
    names = {score.name for score in MORNING_DIARY.scores}
    assert not {name for name in names if name.startswith(("se_", "tib_"))}


@pytest.mark.parametrize("key", ANSWERS)
def test_a_missing_answer_takes_only_its_own_value(key):
    scores = score_answers(MORNING_DIARY, ANSWERS | {key: None})
    assert sum(value is None for value in scores.values.values()) == (key != "music")
    assert scores.n_missing == 1


@given(st.fixed_dictionaries({i.key: st.sampled_from(i.choices) for i in MORNING_DIARY.items}))
def test_every_night_scores_within_range(answers):
    values = score_answers(MORNING_DIARY, answers).values
    assert all(field.low <= values[field.name] <= field.high for field in MORNING_DIARY.scores)
