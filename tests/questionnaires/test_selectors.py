from datetime import UTC, datetime
from uuid import uuid4

import pytest

from questionnaires.instruments import CATALOGUE
from questionnaires.instruments.psqi import PSQI
from questionnaires.selectors import (
    Progress,
    asked_and_declined,
    asked_answers_of,
    dictionary_rows,
    first_unanswered,
    flag_table,
    functional_instruments,
    item_rows,
    place_of,
    progress,
    score_table,
    scores_and_flags,
)
from questionnaires.services import decline_answer, save_answer, submit_response
from tests.questionnaires import drafts

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def psqi_draft():
    return drafts.psqi_draft()


@pytest.fixture
def psqi_answered():
    return drafts.psqi_answered()


def answer(response, item_key, raw):
    save_answer(response=response, item_key=item_key, raw=raw, at=LATER)


def test_a_new_response_begins_with_its_first_item(psqi_draft):
    assert first_unanswered(psqi_draft) == "bed"
    assert progress(psqi_draft) == Progress(0, 19)


def test_the_first_gap_is_where_a_response_goes_on(psqi_draft):
    answer(psqi_draft, "bed", "23:00")
    answer(psqi_draft, "rise", "07:00")
    assert first_unanswered(psqi_draft) == "latency_min"
    assert progress(psqi_draft) == Progress(2, 19)


def test_a_skipped_reason_takes_its_follow_up_off_the_path(psqi_draft):
    answer(psqi_draft, "d_j_reason", "")
    assert progress(psqi_draft) == Progress(1, 18)
    assert place_of(psqi_draft, "d_j_reason").next_key == "quality"
    assert place_of(psqi_draft, "quality").number == 15


def test_a_complete_response_has_no_unanswered_item(psqi_answered):
    assert first_unanswered(psqi_answered) is None
    assert progress(psqi_answered) == Progress(19, 19)


def test_the_ends_of_the_path_have_one_neighbour(psqi_draft):
    first, last = place_of(psqi_draft, "bed"), place_of(psqi_draft, "enthusiasm")
    assert (first.number, first.previous_key, first.next_key) == (1, None, "latency_min")
    assert (last.number, last.previous_key, last.next_key) == (19, "awake", None)


def test_scores_and_flags_are_empty_where_there_are_none(psqi_answered):
    nobody = uuid4()
    submit_response(response=psqi_answered, at=LATER)
    ids = [psqi_answered.pk, nobody]
    assert score_table(ids)[nobody] == {}
    assert score_table(ids)[psqi_answered.pk]["total"] == 5
    assert flag_table(ids) == {psqi_answered.pk: (), nobody: ()}


def test_item_rows_come_in_the_order_of_the_items_with_raw_and_value(psqi_answered):
    rows = item_rows([psqi_answered.pk])
    assert [row.item_key for row in rows] == [item.key for item in PSQI.items]
    sleep = next(row for row in rows if row.item_key == "sleep_h")
    assert (sleep.raw, sleep.value, sleep.unit) == ("7:00", 7.0, "h")


def test_what_seals_a_response_is_read_at_once(psqi_answered, django_assert_num_queries):
    decline_answer(response=psqi_answered, item_key="d_a", at=LATER)
    sealed = submit_response(response=psqi_answered, at=LATER)
    with django_assert_num_queries(2):
        answers, declined = asked_and_declined(sealed)
        scores, flags = scores_and_flags(sealed.pk)
    assert (answers, declined) == (asked_answers_of(sealed), {"d_a"})
    assert scores == score_table([sealed.pk])[sealed.pk]
    assert flags == flag_table([sealed.pk])[sealed.pk]


def test_the_rows_of_many_responses_take_one_query(psqi_answered, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert len(item_rows([psqi_answered.pk])) == 19


@pytest.mark.parametrize("instrument", CATALOGUE.values(), ids=lambda i: i.key)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_dictionary_says_what_every_item_and_score_is(instrument, language):
    rows = dictionary_rows(instrument, language)
    assert len(rows) == len(instrument.items) + len(instrument.scores)
    assert all(row.label for row in rows)
    for row in rows:
        if row.kind == "choice":
            assert row.low == row.choices[0][0]
            assert row.high == row.choices[-1][0]
        if row.role == "score":
            assert row.missing_rule


def test_published_instruments_ship_with_functional_labels_only():
    assert set(CATALOGUE) - set(functional_instruments("en")) == {"morning_diary", "track_rating"}


def test_item_rows_say_why_there_is_no_value_and_in_which_language_each_was_read(psqi_draft):
    answer(psqi_draft, "d_a", "0")
    answer(psqi_draft, "d_j_reason", "")
    decline_answer(response=psqi_draft, item_key="quality", at=LATER, language="zh-hans")
    rows = {
        row.item_key: (row.value, row.missing, row.language) for row in item_rows([psqi_draft.pk])
    }
    assert rows == {
        "d_a": (0, "", "en"),
        "d_j_reason": (None, "skipped", "en"),
        "quality": (None, "declined", "zh-hans"),
    }
