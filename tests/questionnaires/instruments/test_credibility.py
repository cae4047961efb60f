import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments import score_answers
from questionnaires.instruments.credibility import (
    CREDIBILITY_EXPECTANCY,
    CREDIBILITY_KEYS,
    EXPECTANCY_KEYS,
    ITEM_KEYS,
)

MIDDLE = dict.fromkeys(ITEM_KEYS, 5) | {"improvement_thought": 50, "improvement_felt": 50}


def scored(answers):
    return score_answers(CREDIBILITY_EXPECTANCY, answers)


def test_half_way_is_five_on_every_item():
    assert scored(MIDDLE | {"logical": 6}).values == {"credibility": 16, "expectancy": 15}


@pytest.mark.parametrize(("per_cent", "points"), [(0, 1), (10, 1.8), (100, 9)])
def test_a_percentage_weighs_as_much_as_a_nine_point_item(per_cent, points):
    answers = MIDDLE | {"improvement_thought": per_cent, "help_felt": 1}
    assert scored(answers).values["expectancy"] == pytest.approx(points + 1 + 5)


@pytest.mark.parametrize("key", ITEM_KEYS)
def test_a_missing_item_takes_its_own_factor_only(key):
    scores = scored(MIDDLE | {key: None})
    assert (scores.values["credibility"] is None) == (key in CREDIBILITY_KEYS)
    assert (scores.values["expectancy"] is None) == (key in EXPECTANCY_KEYS)
    assert scores.n_missing == 1


def test_one_answer_on_each_scale_is_a_straight_line():
    assert scored(MIDDLE).flags == ("straight_line",)
    assert scored(MIDDLE | {"recommend": 6}).flags == ()
    assert scored({}).flags == ()


@given(
    st.fixed_dictionaries(
        {item.key: st.sampled_from(item.choices) for item in CREDIBILITY_EXPECTANCY.items}
    )
)
def test_both_factors_run_from_3_to_27(answers):
    assert all(3 <= value <= 27 for value in scored(answers).values.values())
