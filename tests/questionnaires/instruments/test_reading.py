import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.cpss import CPSS
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.reading import is_range, read_answer
from questionnaires.instruments.sleep_diary import SLEEP_DIARY

ALL_ITEMS = [item for instrument in CATALOGUE.values() for item in instrument.items]


@pytest.mark.parametrize(
    ("item_key", "raw", "value"),
    [
        ("bed", "23:30", "23:30"),
        ("bed", " 7:05 ", "07:05"),
        ("bed", "11:30", "11:30"),
        ("bed", "11:30 pm", "23:30"),
        ("bed", "11:30PM", "23:30"),
        ("bed", "12:15 a.m.", "00:15"),
        ("bed", "12:15 pm", "12:15"),
        ("bed", "24:00", "00:00"),
        ("bed", "23:30:00", "23:30"),
        ("bed", "23h30", "23:30"),
        ("bed", "２３：３０", "23:30"),  # noqa: RUF001 - full-width digits as a Chinese keyboard types them
        ("latency_min", "15", 15),
        ("latency_min", 15.0, 15),
        ("latency_min", "7,5", 7.5),
        ("latency_min", "20 min", 20),
        ("latency_min", "20分钟", 20),
        ("latency_min", "30 to 60", 45),
        ("latency_min", "15-30", 22.5),
        ("latency_min", "15到30", 22.5),
        ("latency_min", "0", 0),
        ("latency_min", "720", 720),
        ("sleep_h", "7,5", 7.5),
        ("sleep_h", "6.5", 6.5),
        ("sleep_h", 6.5, 6.5),
        ("sleep_h", "7:30", 7.5),
        ("sleep_h", "7 h 30 min", 7.5),
        ("sleep_h", "7小时30分", 7.5),
        ("sleep_h", "7h", 7.0),
        ("sleep_h", "7-8", 7.5),
        ("sleep_h", "7:30:00", 7.5),
        ("sleep_h", "450 min", 7.5),
        ("sleep_h", "7.333333333333333", 22 / 3),
        ("latency_min", "1 h", 60),
        ("latency_min", "1-2小时", 90),
        ("d_a", "3", 3),
        ("d_a", "2.0", 2),
        ("d_a", 2.0, 2),
        ("d_a", "０", 0),  # noqa: RUF001 - a full-width zero
        ("d_j", "", None),
        ("d_j", None, None),
        ("d_j", math.nan, None),
        ("d_j_reason", "  街上很吵 ", "街上很吵"),
        ("d_j_reason", "café noise 🎵", "café noise 🎵"),
    ],
)
def test_what_has_one_meaning_is_read(item_key, raw, value):
    read = read_answer(PSQI.item(item_key), raw)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("item_key", "raw", "code"),
    [
        ("bed", "", "missing"),
        ("bed", None, "missing"),
        ("bed", "   ", "missing"),
        ("d_a", math.nan, "missing"),
        ("bed", "late", "not_a_time"),
        ("bed", "25:00", "not_a_time"),
        ("bed", "24:15", "not_a_time"),
        ("bed", "23:60", "not_a_time"),
        ("bed", "13:30 pm", "not_a_time"),
        ("bed", "0:30 am", "not_a_time"),
        ("bed", "-1:30", "not_a_time"),
        ("bed", "23", "not_a_time"),
        ("bed", 23.5, "not_a_time"),
        ("bed", "22:00-23:00", "not_a_time"),
        ("latency_min", "soon", "not_a_number"),
        ("latency_min", "about 20", "not_a_number"),
        ("latency_min", "1e3", "not_a_number"),
        ("latency_min", "inf", "not_a_number"),
        ("latency_min", math.inf, "not_a_number"),
        ("latency_min", "3 times", "not_a_number"),
        ("sleep_h", "2 to 3 times", "not_a_number"),
        ("latency_min", "-5", "out_of_range"),
        ("latency_min", -5, "out_of_range"),
        ("latency_min", "721", "out_of_range"),
        ("sleep_h", "7:75", "not_a_duration"),
        ("sleep_h", "24:30", "out_of_range"),
        ("sleep_h", "450", "out_of_range"),
        ("d_a", "4", "not_a_choice"),
        ("d_a", "-1", "not_a_choice"),
        ("d_a", "2.5", "not_a_choice"),
        ("d_a", "often", "not_a_choice"),
        ("d_a", True, "wrong_type"),
        ("d_a", [1], "wrong_type"),
        ("d_a", b"1", "wrong_type"),
        ("bed", {"hour": 23}, "wrong_type"),
        ("d_a", "1\x00", "garbled"),
        ("d_j_reason", "noise\x00", "garbled"),
        ("d_j_reason", "街上很吵".encode().decode("latin-1"), "garbled"),
        ("d_j_reason", "é".encode().decode("cp1252"), "garbled"),
        ("d_j_reason", "no\N{REPLACEMENT CHARACTER}se", "garbled"),
        ("d_j_reason", "lone \ud83c surrogate", "garbled"),
        ("latency_min", "２０分".encode().decode("latin-1"), "garbled"),
        ("d_j_reason", "x" * 501, "too_long"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_reason(item_key, raw, code):
    with pytest.raises(AnswerRefused) as refused:
        read_answer(PSQI.item(item_key), raw)
    assert refused.value.code == code
    assert refused.value.item_key == item_key
    assert str(refused.value).startswith(f"{item_key}: expected ")


def test_codes_that_start_at_one_are_refused_with_the_codes_that_count():
    with pytest.raises(AnswerRefused, match=r"one of 0, 1, 2, 3, got '4'\. The answers are coded"):
        read_answer(PSQI.item("d_a"), "4")
    with pytest.raises(AnswerRefused, match="0, 1, 2, 3, 4"):
        read_answer(CPSS.item("item_1"), "5")


def test_a_range_says_its_bounds():
    with pytest.raises(AnswerRefused) as refused:
        read_answer(PSQI.item("latency_min"), "900")
    assert refused.value.params == {"low": "0", "high": "720"}


def test_a_long_answer_is_cut_in_the_message():
    with pytest.raises(AnswerRefused) as refused:
        read_answer(PSQI.item("d_j_reason"), "x" * 5000)
    assert len(str(refused.value)) < 200


def test_awakenings_are_whole_numbers():
    item = SLEEP_DIARY.item("awakenings")
    assert read_answer(item, "2") == 2
    for raw in ("1.5", "2-4", "1 to 3"):
        with pytest.raises(AnswerRefused) as refused:
            read_answer(item, raw)
        assert refused.value.code == "not_a_whole_number"


def test_only_numbers_can_be_typed_as_a_range():
    assert is_range(PSQI.item("latency_min"), "30 to 60")
    assert is_range(PSQI.item("sleep_h"), "7\N{EN DASH}8")
    assert not is_range(PSQI.item("latency_min"), "30")
    assert not is_range(PSQI.item("bed"), "22-23")
    assert not is_range(PSQI.item("d_j_reason"), "1-2")


@given(st.sampled_from(ALL_ITEMS), st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_anything_at_all_is_read_within_range_or_refused(item, raw):
    try:
        value = read_answer(item, raw)
    except AnswerRefused:
        return
    if value is None:
        assert not item.required
    elif item.choices:
        assert value in item.choices
    elif item.kind in ("minutes", "hours_minutes", "count"):
        assert item.low <= value <= item.high


@given(st.sampled_from(ALL_ITEMS), st.text())
def test_a_value_that_was_read_reads_as_itself(item, raw):
    try:
        value = read_answer(item, raw)
    except AnswerRefused:
        return
    assert read_answer(item, value) == value


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_time_of_day_is_read_in_both_clocks(hour, minute):
    item = PSQI.item("bed")
    half = "am" if hour < 12 else "pm"
    assert read_answer(item, f"{hour}:{minute:02d}") == f"{hour:02d}:{minute:02d}"
    assert read_answer(item, f"{hour % 12 or 12}:{minute:02d} {half}") == f"{hour:02d}:{minute:02d}"


@example(0.044694780899080314)
@example(0.00010000000000000009)
@given(st.floats(0, 24))
def test_every_float_of_a_table_reads_as_itself(hours):
    item = PSQI.item("sleep_h")
    if "e" not in repr(hours):
        assert read_answer(item, repr(hours)) == pytest.approx(hours, abs=1e-15)


@given(st.integers(0, 1440))
def test_hours_and_minutes_come_back_as_the_minutes_they_were(minutes):
    hours = read_answer(PSQI.item("sleep_h"), f"{minutes // 60}:{minutes % 60:02d}")
    assert round(hours * 60, 6) == minutes
