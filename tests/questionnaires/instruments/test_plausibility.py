import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.plausibility import implausible
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.sleep_diary import SLEEP_DIARY

TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
NIGHT = {"bed": "23:00", "rise": "07:00", "sleep_h": 7.0, "latency_min": 20}
DIARY = {
    "into_bed": "22:30",
    "tried_to_sleep": "23:00",
    "latency_min": 20,
    "awakenings": 0,
    "final_waking": "06:45",
    "out_of_bed": "07:00",
}


def asked(instrument, answers):
    return [(question.item_key, question.code) for question in implausible(instrument, answers)]


@pytest.mark.parametrize(
    "answers",
    [NIGHT, {**NIGHT, "bed": "07:00", "rise": "17:00"}, {}, {"bed": "23:00"}, {"latency_min": 700}],
)
def test_a_likely_night_a_day_sleeper_and_a_gap_raise_no_question(answers):
    assert implausible(PSQI, answers) == []


def test_half_past_eleven_in_the_morning_is_asked_about_with_the_night_suggested():
    (question,) = implausible(PSQI, {**NIGHT, "bed": "11:30"})
    assert (question.item_key, question.code) == ("bed", "half_day_slip")
    assert question.params == {"typed": "11:30", "suggested": "23:30", "tib": "19:30"}


def test_getting_up_in_the_evening_after_a_night_in_bed_suggests_the_morning():
    (question,) = implausible(PSQI, {**NIGHT, "bed": "23:30", "rise": "19:00"})
    assert (question.item_key, question.params["suggested"]) == ("rise", "07:00")


def test_a_time_in_bed_that_no_half_day_explains_is_asked_about():
    assert asked(PSQI, {**NIGHT, "bed": "05:00", "sleep_h": 1}) == [("bed", "time_in_bed")]


def test_more_sleep_than_time_in_bed_and_a_latency_beyond_it_are_asked_about():
    assert asked(PSQI, {**NIGHT, "sleep_h": 9}) == [("sleep_h", "sleep_exceeds_tib")]
    assert asked(PSQI, {**NIGHT, "latency_min": 481}) == [("latency_min", "latency_exceeds_tib")]
    assert asked(PSQI, {**NIGHT, "sleep_h": 8, "latency_min": 480}) == []


def test_the_same_minute_for_bed_and_rise_is_asked_about():
    assert asked(PSQI, {**NIGHT, "rise": "23:00"}) == [("rise", "same_time")]
    assert asked(SLEEP_DIARY, {**DIARY, "out_of_bed": "22:30"}) == [("out_of_bed", "same_time")]


def test_a_diary_is_asked_about_its_order_its_clock_and_its_time_awake():
    assert asked(SLEEP_DIARY, DIARY) == []
    assert asked(SLEEP_DIARY, {**DIARY, "tried_to_sleep": "22:00"}) == [
        ("tried_to_sleep", "times_out_of_order")
    ]
    assert asked(SLEEP_DIARY, {**DIARY, "into_bed": "10:30"}) == [("into_bed", "half_day_slip")]
    assert asked(SLEEP_DIARY, {**DIARY, "latency_min": 600}) == [
        ("latency_min", "awake_exceeds_night")
    ]
    assert asked(SLEEP_DIARY, {"into_bed": "22:30"}) == []


def test_a_stress_scale_raises_no_question():
    assert implausible(CPSS, {item.key: 0 for item in CPSS.items}) == []


@given(TIMES, TIMES)
def test_taking_the_suggestion_always_settles_the_half_day(bed, rise):
    answers = {"bed": bed, "rise": rise}
    for question in implausible(PSQI, answers):
        if question.code == "half_day_slip":
            settled = {**answers, question.item_key: question.params["suggested"]}
            assert implausible(PSQI, settled) == []
