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


CLOCK_KEYS = ("into_bed", "tried_to_sleep", "final_waking", "out_of_bed")


@pytest.mark.parametrize(
    ("times", "item_key", "suggested"),
    [
        ("22:30 23:00 22:00 07:00", "final_waking", None),
        ("22:30 22:00 06:45 07:00", "tried_to_sleep", None),
        ("22:30 23:00 07:10 07:00", "out_of_bed", None),
        ("22:30 23:00 02:00 01:00", "out_of_bed", None),
        ("10:30 23:00 06:45 07:00", "into_bed", "22:30"),
        ("22:30 11:00 06:45 07:00", "tried_to_sleep", "23:00"),
        ("22:30 23:00 18:45 07:00", "final_waking", "06:45"),
        ("22:30 23:00 06:45 19:00", "out_of_bed", "07:00"),
        # Bed and light out both typed by the other half of the day: one after the other.
        ("11:00 11:30 06:45 07:00", "into_bed", "23:00"),
        ("23:00 11:30 06:45 07:00", "tried_to_sleep", "23:30"),
        # Everything is wrong: the first that breaks the order.
        ("23:00 22:00 21:00 06:00", "tried_to_sleep", None),
    ],
)
def test_a_contradiction_of_times_is_asked_back_under_the_likeliest_culprit(
    times, item_key, suggested
):
    night = dict(zip(CLOCK_KEYS, times.split(), strict=True))
    (question,) = implausible(SLEEP_DIARY, {**DIARY, **night})
    assert question.item_key == item_key
    assert question.code == ("half_day_slip" if suggested else "times_out_of_order")
    assert question.params["typed"] == night[item_key]
    assert question.params.get("suggested") == suggested


@given(TIMES, TIMES, TIMES, TIMES)
def test_taking_a_suggestion_for_a_night_leaves_less_to_ask(bed, tried, waking, out):
    night = {**DIARY, **dict(zip(CLOCK_KEYS, (bed, tried, waking, out), strict=True))}
    for question in implausible(SLEEP_DIARY, night):
        assert question.item_key in night
        if question.code == "half_day_slip":
            settled = {**night, question.item_key: question.params["suggested"]}
            again = implausible(SLEEP_DIARY, settled)
            assert question.item_key not in {
                other.item_key for other in again if other.code == "half_day_slip"
            }


def test_a_stress_scale_raises_no_question():
    assert implausible(CPSS, {item.key: 0 for item in CPSS.items}) == []


@given(TIMES, TIMES)
def test_taking_the_suggestion_always_settles_the_half_day(bed, rise):
    answers = {"bed": bed, "rise": rise}
    for question in implausible(PSQI, answers):
        if question.code == "half_day_slip":
            settled = {**answers, question.item_key: question.params["suggested"]}
            assert implausible(PSQI, settled) == []
