import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaires.instruments.clock import time_of_day
from questionnaires.instruments.sleep_diary import SLEEP_DIARY, score_diary_core_2012

NIGHT = {
    "into_bed": "22:30",
    "tried_to_sleep": "23:00",
    "latency_min": 20,
    "awakenings": 2,
    "wake_min": 15,
    "final_waking": "06:45",
    "out_of_bed": "07:00",
    "quality": 4,
}


def test_a_night_across_midnight_gives_the_times_of_the_stated_formulas():
    values = score_diary_core_2012(NIGHT).values
    assert values["tib_min"] == 510
    assert values["sol_min"] == 20
    assert values["waso_min"] == 15
    assert values["twak_min"] == 15
    assert values["tst_min"] == 465 - 20 - 15
    assert values["se_pct"] == 100 * 430 / 510
    assert values["se_dse_pct"] == 100 * 430 / 465


def test_no_awakening_means_no_time_awake():
    scores = score_diary_core_2012({**NIGHT, "awakenings": 0, "wake_min": None})
    assert scores.values["waso_min"] == 0
    assert scores.values["tst_min"] == 445
    assert scores.n_missing == 0


def test_trying_to_sleep_before_going_to_bed_is_flagged_and_not_derived():
    scores = score_diary_core_2012({**NIGHT, "tried_to_sleep": "22:00"})
    assert scores.flags == ("times_out_of_order",)
    assert scores.values["tib_min"] is None
    assert scores.values["se_pct"] is None


def test_eighteen_hours_are_a_night_and_one_minute_more_is_not():
    longest = {**NIGHT, "into_bed": "13:00", "out_of_bed": "07:00"}
    assert score_diary_core_2012(longest).values["tib_min"] == 1080
    too_long = {**longest, "into_bed": "12:59"}
    assert score_diary_core_2012(too_long).flags == ("times_out_of_order",)


def test_more_time_awake_than_the_night_allows_is_flagged_and_not_derived():
    scores = score_diary_core_2012({**NIGHT, "wake_min": 500})
    assert scores.flags == ("awake_exceeds_night",)
    assert scores.values["tst_min"] is None
    assert scores.values["tib_min"] == 510


def test_a_night_without_any_sleep_has_an_efficiency_of_zero():
    scores = score_diary_core_2012({**NIGHT, "latency_min": 465, "awakenings": 0})
    assert scores.values["tst_min"] == 0
    assert scores.values["se_pct"] == 0


def test_a_night_of_zero_minutes_has_no_efficiency():
    moment = dict.fromkeys(("into_bed", "tried_to_sleep", "final_waking", "out_of_bed"), "23:00")
    values = score_diary_core_2012({**NIGHT, **moment, "latency_min": 0, "awakenings": 0}).values
    assert values["tib_min"] == 0
    assert values["se_pct"] is None


@pytest.mark.parametrize("key", [item.key for item in SLEEP_DIARY.items])
def test_each_missing_item_is_counted_and_leaves_what_needs_it_missing(key):
    scores = score_diary_core_2012({**NIGHT, key: None})
    assert scores.n_missing == 1
    if key not in ("quality", "awakenings"):
        assert scores.values["se_pct"] is None


@given(
    st.integers(0, 1439),
    st.lists(st.integers(0, 360), min_size=3, max_size=3),
    st.integers(0, 720),
    st.integers(0, 720),
)
def test_efficiency_is_a_percentage_and_the_parts_add_up(start, gaps, latency, awake):
    marks = [start, start + gaps[0], start + sum(gaps[:2]), start + sum(gaps)]
    keys = ("into_bed", "tried_to_sleep", "final_waking", "out_of_bed")
    night = dict(zip(keys, map(time_of_day, marks), strict=True))
    values = score_diary_core_2012(
        {**night, "latency_min": latency, "awakenings": 1, "wake_min": awake, "quality": 3}
    ).values
    assert values["tib_min"] == sum(gaps)
    if values["tst_min"] is None:
        assert gaps[1] < latency + awake
        return
    parts = gaps[0] + latency + awake + values["tst_min"] + values["twak_min"]
    assert parts == values["tib_min"]
    assert values["se_pct"] is None or 0 <= values["se_pct"] <= 100
