import pytest

from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.night import Night, night_in
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.sleep_diary import SLEEP_DIARY

DIARY = {
    "into_bed": "22:30", "tried_to_sleep": "23:00", "latency_min": 20, "awakenings": 1,
    "wake_min": 10, "final_waking": "06:30", "out_of_bed": "06:45", "quality": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "night"),
    [
        ({"bed": "23:30", "rise": "07:00", "sleep_h": 6.5}, Night(450, 390)),
        ({"bed": "00:30", "rise": "07:00"}, Night(390, None)),
        ({"bed": "07:00", "rise": "07:00", "sleep_h": 6}, None),
        ({"bed": "23:30", "sleep_h": 6}, None),
    ],
)
def test_a_usual_night_is_from_bed_to_rising(answers, night):
    assert night_in(PSQI, answers) == night


def test_last_night_is_what_the_diary_derives():
    assert night_in(SLEEP_DIARY, DIARY) == Night(495, 420)
    assert night_in(SLEEP_DIARY, DIARY | {"wake_min": 600}) == Night(495, None)
    assert night_in(SLEEP_DIARY, DIARY | {"final_waking": "22:00"}) is None


def test_other_instruments_describe_no_night():
    assert night_in(CPSS, {"item_1": 3}) is None
