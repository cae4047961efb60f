import pytest

from questionnaires.instruments.clock import time_of_day
from questionnaires.instruments.spoken_time import spoken_time


@pytest.mark.parametrize(
    ("time", "english", "chinese"),
    [
        ("00:00", "midnight", "凌晨零点"),
        ("00:30", "half past midnight", "凌晨零点半"),
        ("02:00", "two at night", "凌晨两点"),
        ("07:10", "7:10 in the morning", "早上七点十分"),
        ("11:30", "half past eleven in the morning", "上午十一点半"),
        ("12:00", "noon", "中午十二点"),
        ("12:45", "quarter to one in the afternoon", "中午十二点四十五分"),
        ("17:05", "5:05 in the afternoon", "下午五点零五分"),
        ("22:20", "10:20 at night", "晚上十点二十分"),
        ("23:30", "half past eleven at night", "晚上十一点半"),
        ("23:45", "quarter to midnight", "晚上十一点四十五分"),
    ],
)
def test_a_time_is_said_as_people_say_it(time, english, chinese):
    assert spoken_time(time, "en") == english
    assert spoken_time(time, "zh-hans") == chinese
    assert spoken_time(time, "zh-Hans") == chinese
    assert spoken_time(time, "fr") == english


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_two_times_sound_the_same(language):
    spoken = [spoken_time(time_of_day(minute), language) for minute in range(1440)]
    assert len(set(spoken)) == 1440
