from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string

from questionnaires.forms import answer_text, plausibility, review_rows
from questionnaires.instruments.psqi import PSQI
from questionnaires.instruments.sleep_diary import SLEEP_DIARY
from questionnaires.selectors import wording_of
from questionnaires.services import (
    decline_answer,
    save_answer,
    start_response,
    submit_response,
)
from tests.questionnaires import drafts

# The words may be a site's own, in the database.
pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def psqi_answered():
    return drafts.psqi_answered()


def rows_by_key(response, language="en"):
    return {row.item_key: row for row in review_rows(response, language)}


@pytest.mark.django_db
def test_the_check_page_says_every_answer_in_words(psqi_answered):
    rows = rows_by_key(psqi_answered)
    assert rows["bed"].answer == "You go to bed at 22:15: quarter past ten at night."
    assert rows["latency_min"].answer == "10 minutes"
    assert rows["sleep_h"].answer == "7 h 0 min"
    assert rows["d_b"].answer == "1 or 2 times a week"
    assert rows["d_j_reason"].answer == "street noise"
    assert rows_by_key(psqi_answered, "zh-hans")["d_b"].answer == "一周1次或2次"


@pytest.mark.django_db
def test_a_gap_and_a_skipped_item_are_told_apart():
    response = start_response(instrument="psqi", language="en", at=MORNING)
    save_answer(response=response, item_key="d_j_reason", raw="", at=MORNING)
    rows = rows_by_key(response)
    assert (rows["d_j_reason"].answer, rows["d_j_reason"].is_answered) == ("No answer", True)
    assert not rows["bed"].is_answered
    assert "d_j" not in rows


@pytest.mark.django_db
def test_the_half_day_slip_is_asked_on_the_check_page_and_never_refused(psqi_answered):
    save_answer(response=psqi_answered, item_key="bed", raw="11:30", at=MORNING)
    rows = review_rows(psqi_answered, "en")
    assert rows[0].question == "You wrote 11:30. Is that right, or is it 23:30?"
    html = render_to_string(
        "questionnaires/review.html", {"rows": rows, "url_prefix": "/s/3/", "language": "en"}
    )
    assert "is it 23:30?" in html
    assert 'href="/s/3/bed/"' in html
    submitted = submit_response(response=psqi_answered, at=MORNING)
    assert submitted.is_submitted
    assert submitted.scores.first().flags == ["tib_over_14_h"]


@pytest.mark.django_db
def test_the_check_page_without_a_prefix_has_no_links_and_escapes_what_was_typed(psqi_answered):
    save_answer(response=psqi_answered, item_key="d_j_reason", raw="<b>dog</b>", at=MORNING)
    html = render_to_string(
        "questionnaires/review.html", {"rows": review_rows(psqi_answered, "en"), "language": "en"}
    )
    assert "href" not in html
    assert "&lt;b&gt;dog&lt;/b&gt;" in html


@pytest.mark.parametrize(
    ("instrument", "answers", "text"),
    [
        (PSQI, {"bed": "05:00", "rise": "07:00"}, "it is 2:00 (hours:minutes)"),
        (PSQI, {"bed": "07:00", "rise": "07:00"}, "You wrote 07:00 for both times."),
        (PSQI, {"bed": "23:00", "rise": "07:00", "sleep_h": 9.0}, "9:00 of sleep and 8:00 in bed"),
        (PSQI, {"bed": "23:00", "rise": "07:00", "latency_min": 500}, "8:20 until asleep"),
    ],
)
def test_every_question_has_its_numbers(instrument, answers, text):
    (asked,) = plausibility(instrument, answers)
    assert text in asked.text


def test_the_diary_has_its_own_questions():
    night = {
        "into_bed": "22:30",
        "tried_to_sleep": "22:00",
        "latency_min": 10,
        "awakenings": 0,
        "final_waking": "06:00",
        "out_of_bed": "06:30",
    }
    (asked,) = plausibility(SLEEP_DIARY, night)
    assert asked.text.startswith("You wrote 22:00, and the times do not follow")


@pytest.mark.parametrize(
    ("instrument", "item_key", "value", "text"),
    [
        (PSQI, "latency_min", 1, "1 minute"),
        (PSQI, "latency_min", 22.5, "22.5 minutes"),
        (PSQI, "latency_min", 0, "0 minutes"),
        (PSQI, "sleep_h", 391 / 60, "6 h 31 min"),
        (SLEEP_DIARY, "awakenings", 1, "1 time"),
        (SLEEP_DIARY, "awakenings", 2, "2 times"),
        (PSQI, "bed", "23:30", "23:30"),
        (PSQI, "d_j", None, "No answer"),
    ],
)
def test_an_answer_reads_as_people_write_it(instrument, item_key, value, text):
    wording = wording_of(instrument.key, "en")
    assert answer_text(instrument.item(item_key), value, wording) == text


@pytest.mark.django_db
def test_the_check_page_says_what_somebody_chose_not_to_answer(psqi_answered):
    decline_answer(response=psqi_answered, item_key="quality", at=MORNING)
    rows = review_rows(psqi_answered, "en")
    assert [row.item_key for row in rows if row.is_declined] == ["quality"]
    html = render_to_string("questionnaires/review.html", {"rows": rows, "language": "en"})
    assert html.count("You chose not to answer") == 1
