from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection

from questionnaires.exceptions import IncompleteResponse, NaiveMoment, ResponseLocked
from questionnaires.instruments.errors import (
    AnswerRefused,
    UnknownInstrument,
    UnknownItem,
    UnknownRule,
    WordingMismatch,
)
from questionnaires.models import Answer, Response, Score
from questionnaires.selectors import answers_of, declined_items, score_table, wording_of
from questionnaires.services import (
    decline_answer,
    save_answer,
    save_answers,
    start_response,
    submit_response,
)
from tests.questionnaires import drafts

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = MORNING + timedelta(hours=1)
KEPT = ("item_key", "raw", "value", "is_declined", "language", "wording_hash", "answered_at",
        "elapsed_ms")  # fmt: skip


@pytest.fixture
def psqi_draft():
    return drafts.psqi_draft()


@pytest.fixture
def psqi_answered():
    return drafts.psqi_answered()


def answer(response, item_key, raw, at=MORNING, **options):
    return save_answer(response=response, item_key=item_key, raw=raw, at=at, **options)


def test_a_response_keeps_the_words_the_version_and_the_rule_it_began_with():
    response = start_response(instrument="psqi", language="zh-hans", at=MORNING)
    assert response.version == "1"
    assert response.rule_id == "pitt2005"
    assert response.wording_hash == wording_of("psqi", "zh-hans").sha256
    assert (response.state, response.started_at) == ("draft", MORNING)


def test_answers_that_come_together_are_kept_like_one_after_the_other(psqi_draft):
    one, together = psqi_draft, drafts.psqi_draft()
    answer(one, "bed", "22:00")
    answer(together, "bed", "22:00")
    given = {"bed": "23:30", "d_a": "2", "d_j_reason": ""}
    each = [answer(one, key, raw, elapsed_ms=900, at=LATER) for key, raw in given.items()]
    took = dict.fromkeys(given, 900)
    saved = save_answers(response=together, answers=given, at=LATER, elapsed_ms=took)
    assert [(s.previous, s.changed) for s in saved] == [(s.previous, s.changed) for s in each]
    kept = [list(r.answers.order_by("item_key").values(*KEPT)) for r in (one, together)]
    assert kept[0] == kept[1]
    again = save_answers(response=together, answers={"d_a": "2"}, at=LATER)
    assert [s.changed for s in again] == [False]


@pytest.mark.parametrize("bad", [{"d_a": "9"}, {"nothing": "1"}])
def test_of_answers_that_come_together_all_are_kept_or_none(psqi_draft, bad):
    with pytest.raises((AnswerRefused, UnknownItem)):
        save_answers(response=psqi_draft, answers={"bed": "23:30", **bad}, at=MORNING)
    assert not Answer.objects.exists()


def test_a_response_that_was_handed_in_takes_no_answers_together(psqi_answered):
    submit_response(response=psqi_answered, at=LATER)
    with pytest.raises(ResponseLocked):
        save_answers(response=psqi_answered, answers={"d_a": "1"}, at=LATER)


def test_a_study_may_choose_the_rule_of_1989(psqi_answered):
    response = start_response(instrument="psqi", language="en", at=MORNING, rule_id="buysse1989")
    for kept in psqi_answered.answers.all():
        answer(response, kept.item_key, kept.raw)
    for draft in (psqi_answered, response):
        submit_response(response=draft, at=LATER)
    table = score_table([psqi_answered.pk, response.pk])
    assert table[psqi_answered.pk]["component_duration"] == 0
    assert table[response.pk]["component_duration"] == 1
    assert set(response.scores.values_list("rule_id", flat=True)) == {"buysse1989"}


def test_an_unknown_instrument_language_or_rule_begins_nothing():
    for names, error in [
        ({"instrument": "isi", "language": "en"}, UnknownInstrument),
        ({"instrument": "psqi", "language": "fr"}, WordingMismatch),
        ({"instrument": "psqi", "language": "en", "rule_id": "psqi2030"}, UnknownRule),
    ]:
        with pytest.raises(error):
            start_response(at=MORNING, **names)
    assert Response.objects.count() == 0


def test_an_answer_is_kept_as_typed_and_as_read(psqi_draft):
    saved = answer(psqi_draft, "sleep_h", "7,5", elapsed_ms=4200)
    assert (saved.previous, saved.changed) == (None, True)
    kept = Answer.objects.get()
    assert (kept.raw, kept.value, kept.answered_at, kept.elapsed_ms) == ("7,5", 7.5, MORNING, 4200)


def test_the_same_value_again_writes_nothing(psqi_draft):
    answer(psqi_draft, "d_a", "2", elapsed_ms=3000)
    saved = answer(psqi_draft, "d_a", " 2 ", at=LATER, elapsed_ms=1)
    assert (saved.previous.raw, saved.changed) == ("2", False)
    kept = Answer.objects.get()
    assert (kept.answered_at, kept.elapsed_ms) == (MORNING, 3000)


def test_another_value_replaces_the_answer_and_tells_what_stood_there(psqi_draft):
    answer(psqi_draft, "bed", "11:30")
    saved = answer(psqi_draft, "bed", "23:30", at=LATER)
    assert (saved.previous.raw, saved.changed) == ("11:30", True)
    assert answers_of(psqi_draft) == {"bed": "23:30"}


def test_a_refused_answer_leaves_the_one_before(psqi_draft):
    answer(psqi_draft, "d_a", "2")
    with pytest.raises(AnswerRefused):
        answer(psqi_draft, "d_a", "4")
    with pytest.raises(UnknownItem):
        answer(psqi_draft, "q17", "1")
    assert answers_of(psqi_draft) == {"d_a": 2}


def test_an_optional_item_left_blank_is_kept_as_skipped(psqi_draft):
    assert answer(psqi_draft, "d_j_reason", "").answer.value is None
    assert answers_of(psqi_draft) == {"d_j_reason": None}
    assert answer(psqi_draft, "d_j_reason", "  ").changed is False


@pytest.mark.parametrize("elapsed_ms", [-1, 10**12])
def test_an_impossible_time_from_a_browser_is_left_out(psqi_draft, elapsed_ms):
    assert answer(psqi_draft, "d_a", "1", elapsed_ms=elapsed_ms).answer.elapsed_ms is None


def test_submission_scores_and_seals(psqi_answered):
    response = submit_response(response=psqi_answered, at=LATER)
    assert (response.state, response.submitted_at) == ("submitted", LATER)
    scores = score_table([response.pk])[response.pk]
    # The published case of the Czech Technical University: 7 h of 8 h 15 in bed, total 5.
    assert scores["total"] == 5
    assert scores["component_efficiency"] == 1
    assert round(scores["se_pct"], 2) == 84.85
    assert scores["tib_h"] == 8.25


def test_submitting_twice_returns_the_same_and_doubles_nothing(psqi_answered):
    first = submit_response(response=psqi_answered, at=LATER)
    n_scores = Score.objects.count()
    # The second tab still holds the draft that it loaded.
    second = submit_response(response=psqi_answered, at=LATER + timedelta(minutes=1))
    assert second.submitted_at == first.submitted_at == LATER
    assert Score.objects.count() == n_scores == len(first.definition.scores)


def test_an_incomplete_response_names_what_is_missing_and_stays_a_draft(psqi_answered):
    psqi_answered.answers.filter(item_key__in=["quality", "rise"]).delete()
    with pytest.raises(IncompleteResponse, match="2 are missing: rise, quality") as refused:
        submit_response(response=psqi_answered, at=LATER)
    assert refused.value.missing == ("rise", "quality")
    psqi_answered.refresh_from_db()
    assert not psqi_answered.is_submitted
    assert Score.objects.count() == 0


def test_a_frequency_whose_reason_was_taken_back_does_not_count(psqi_answered):
    answer(psqi_answered, "d_b", "3")
    answer(psqi_answered, "d_c", "3")
    answer(psqi_answered, "d_j_reason", "")
    response = submit_response(response=psqi_answered, at=LATER)
    scores = score_table([response.pk])[response.pk]
    assert scores["component_disturbance"] == 1
    assert response.scores.first().flags == []


def test_a_typed_range_and_a_hurried_hand_are_flagged(psqi_answered):
    answer(psqi_answered, "latency_min", "30 to 60")
    psqi_answered.answers.update(elapsed_ms=900)
    response = submit_response(response=psqi_answered, at=LATER)
    assert set(response.scores.first().flags) == {"latency_min_midpoint", "fast"}
    assert answers_of(response)["latency_min"] == 45


def test_a_straight_line_through_the_stress_scale_scores_28_and_is_flagged():
    response = start_response(instrument="cpss", language="en", at=MORNING)
    for item in response.definition.items:
        answer(response, item.key, "2")
    response = submit_response(response=response, at=LATER)
    assert score_table([response.pk])[response.pk]["total"] == 28
    assert response.scores.first().flags == ["straight_line"]


def test_a_submitted_response_refuses_every_answer(psqi_answered):
    submit_response(response=psqi_answered, at=LATER)
    with pytest.raises(ResponseLocked, match="A correction is a new revision"):
        answer(psqi_answered, "d_a", "3", at=LATER)
    with pytest.raises(ResponseLocked):
        answer(psqi_answered, "d_a", "1", at=LATER)
    assert answers_of(psqi_answered)["d_a"] == 1


def test_a_moment_without_its_zone_is_refused(psqi_draft):
    naive = datetime(2026, 3, 2, 8, 0)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(NaiveMoment):
        start_response(instrument="psqi", language="en", at=naive)
    with pytest.raises(NaiveMoment):
        answer(psqi_draft, "d_a", "1", at=naive)
    with pytest.raises(NaiveMoment):
        submit_response(response=psqi_draft, at=naive)


@pytest.mark.django_db(transaction=True)
def test_eight_tabs_that_submit_at_once_score_once(psqi_answered):
    def press(_tab):
        try:
            return submit_response(response=psqi_answered, at=LATER).submitted_at
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as tabs:
        assert set(tabs.map(press, range(8))) == {LATER}
    assert psqi_answered.scores.count() == len(psqi_answered.definition.scores)


@pytest.mark.django_db(transaction=True)
def test_eight_tabs_that_answer_at_once_keep_one_answer(psqi_draft):
    def press(tab):
        try:
            return answer(psqi_draft, "d_a", str(tab % 4)).answer.value
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as tabs:
        values = set(tabs.map(press, range(8)))
    assert values == {0, 1, 2, 3}
    assert psqi_draft.answers.count() == 1


def test_a_declined_answer_is_neither_a_gap_nor_a_skipped_one(psqi_draft):
    saved = decline_answer(response=psqi_draft, item_key="quality", at=MORNING)
    answer(psqi_draft, "d_j_reason", "")
    assert (saved.changed, saved.previous) == (True, None)
    assert answers_of(psqi_draft) == {"quality": None, "d_j_reason": None}
    assert declined_items(psqi_draft) == {"quality"}
    assert decline_answer(response=psqi_draft, item_key="quality", at=LATER).changed is False


def test_an_answer_can_be_declined_and_given_after_all(psqi_draft):
    answer(psqi_draft, "quality", "2")
    saved = decline_answer(response=psqi_draft, item_key="quality", at=LATER)
    assert (saved.previous.raw, saved.previous.value) == ("2", 2)
    saved = answer(psqi_draft, "quality", "2", at=LATER)
    assert (saved.changed, saved.previous.is_declined) == (True, True)
    assert declined_items(psqi_draft) == set()


def test_declining_an_optional_item_is_not_the_same_as_leaving_it_blank(psqi_draft):
    answer(psqi_draft, "d_j_reason", "")
    assert decline_answer(response=psqi_draft, item_key="d_j_reason", at=LATER).changed
    assert answer(psqi_draft, "d_j_reason", "", at=LATER).changed


def test_a_declined_answer_is_missing_to_the_score_and_does_not_hold_back_the_rest(psqi_answered):
    decline_answer(response=psqi_answered, item_key="quality", at=LATER)
    response = submit_response(response=psqi_answered, at=LATER)
    scores = score_table([response.pk])[response.pk]
    assert (scores["component_quality"], scores["total"]) == (None, None)
    assert scores["component_latency"] is not None
    assert set(response.scores.values_list("n_missing", flat=True)) == {1}


def test_declining_after_submission_is_refused(psqi_answered):
    submit_response(response=psqi_answered, at=LATER)
    with pytest.raises(ResponseLocked):
        decline_answer(response=psqi_answered, item_key="quality", at=LATER)


def test_an_item_that_does_not_exist_cannot_be_declined(psqi_draft):
    with pytest.raises(UnknownItem):
        decline_answer(response=psqi_draft, item_key="q17", at=MORNING)


def test_the_database_itself_refuses_a_declined_answer_with_a_value(psqi_draft):
    answer(psqi_draft, "d_a", "2")
    with pytest.raises(IntegrityError, match="declined_says_nothing"):
        Answer.objects.update(is_declined=True)


def test_each_answer_keeps_the_language_and_the_words_in_which_it_was_read(psqi_draft):
    answer(psqi_draft, "d_a", "2")
    answer(psqi_draft, "d_b", "1", language="zh-hans")
    kept = dict(Answer.objects.values_list("item_key", "language"))
    assert kept == {"d_a": "en", "d_b": "zh-hans"}
    hashes = dict(Answer.objects.values_list("item_key", "wording_hash"))
    assert hashes["d_a"] == wording_of("psqi", "en").sha256
    assert hashes["d_b"] == wording_of("psqi", "zh-hans").sha256


def test_the_same_value_in_another_language_is_still_the_answer_that_was_given(psqi_draft):
    answer(psqi_draft, "d_a", "2")
    assert answer(psqi_draft, "d_a", "2", at=LATER, language="zh-hans").changed is False
    assert Answer.objects.get().language == "en"


def test_the_same_sending_twice_counts_once_even_after_another_answer(psqi_draft):
    first = uuid4()
    answer(psqi_draft, "d_a", "2", key=first)
    answer(psqi_draft, "d_a", "1", at=LATER, key=uuid4())
    again = answer(psqi_draft, "d_a", "2", at=LATER, key=first)
    assert (again.changed, again.is_late) == (False, False)
    assert answers_of(psqi_draft) == {"d_a": 1}
    assert psqi_draft.deliveries.count() == 2


def test_an_answer_that_waited_never_overwrites_one_that_was_given_after_it(psqi_draft):
    answer(psqi_draft, "d_a", "1", at=LATER)
    late = answer(psqi_draft, "d_a", "2", at=MORNING, key=uuid4())
    assert (late.changed, late.is_late, late.answer.value) == (False, True, 1)
    late = decline_answer(response=psqi_draft, item_key="d_a", at=MORNING, key=uuid4())
    assert late.is_late
    assert answers_of(psqi_draft) == {"d_a": 1}


def test_an_answer_is_kept_with_the_moment_at_which_it_was_given(psqi_draft):
    answer(psqi_draft, "d_b", "1", at=LATER)
    answer(psqi_draft, "d_a", "2", at=MORNING, key=uuid4())
    assert Answer.objects.get(item_key="d_a").answered_at == MORNING
    answer(psqi_draft, "d_c", "2", at=MORNING - timedelta(days=1), key=uuid4())
    assert Answer.objects.get(item_key="d_c").answered_at == psqi_draft.started_at
