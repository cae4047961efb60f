from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from questionnaires.exceptions import (
    IncompleteResponse,
    NothingToCorrect,
    ResponseLocked,
    RevisionOutdated,
)
from questionnaires.instruments.errors import AnswerRefused, UnknownItem
from questionnaires.models import Response
from questionnaires.selectors import (
    answers_of,
    flag_table,
    newest_revision,
    older_revisions,
    revisions_of,
    score_table,
)
from questionnaires.services import (
    correct_answer,
    decline_answer,
    save_answer,
    start_response,
    submit_response,
)
from tests.questionnaires import drafts

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEXT_DAY = LATER + timedelta(days=1)
NIGHT = {
    "into_bed": "22:30",
    "tried_to_sleep": "23:00",
    "latency_min": "20",
    "awakenings": "0",
    "final_waking": "06:30",
    "out_of_bed": "07:00",
    "quality": "3",
}


@pytest.fixture
def submitted():
    draft = drafts.psqi_answered()
    save_answer(response=draft, item_key="bed", raw="10:15", at=LATER)
    return submit_response(response=draft, at=LATER)


def correct(response, item_key="bed", raw="22:15", **changes):
    stated = {"author": "ines", "reason": "The participant meant the evening", "at": NEXT_DAY}
    return correct_answer(response=response, item_key=item_key, raw=raw, **{**stated, **changes})


def test_a_correction_is_a_new_revision_that_is_scored_and_sealed(submitted):
    correction = correct(submitted)
    revision = correction.response
    assert (revision.revision, revision.original, revision.author) == (2, submitted, "ines")
    assert (revision.submitted_at, revision.rule_id) == (NEXT_DAY, submitted.rule_id)
    assert (correction.before.raw, correction.after.raw) == ("10:15", "22:15")
    totals = score_table([submitted.pk, revision.pk])
    assert totals[revision.pk]["total"] == 5
    assert totals[submitted.pk]["total"] != 5
    with pytest.raises(ResponseLocked):
        save_answer(response=revision, item_key="bed", raw="23:00", at=NEXT_DAY)


def test_the_original_stays_as_it_was(submitted):
    before = list(submitted.answers.values()), list(submitted.scores.values())
    correct(submitted)
    submitted.refresh_from_db()
    assert (list(submitted.answers.values()), list(submitted.scores.values())) == before
    assert (submitted.revision, submitted.author, submitted.reason) == (1, "", "")


def test_all_other_answers_are_carried_over_with_their_times_and_words(submitted):
    revision = correct(submitted).response
    rows = [
        list(
            response.answers.exclude(item_key="bed").values_list(
                "item_key", "raw", "value", "language", "wording_hash", "answered_at", "elapsed_ms"
            )
        )
        for response in (submitted, revision)
    ]
    assert rows[0] == rows[1]
    assert answers_of(revision)["bed"] == "22:15"
    assert revision.answers.get(item_key="bed").elapsed_ms is None


def test_corrections_follow_one_another_and_the_newest_measures(submitted):
    second = correct(submitted).response
    third = correct(second, "sleep_h", "6:30").response
    assert revisions_of(second) == [submitted, second, third]
    assert newest_revision(submitted) == third
    assert older_revisions([third.pk]) == {submitted.pk: third.pk, second.pk: third.pk}
    assert older_revisions([submitted.pk]) == {}


def test_a_correction_of_what_somebody_corrected_meanwhile_is_refused(submitted):
    correct(submitted)
    with pytest.raises(RevisionOutdated, match="a correction of revision 2, got one of revision 1"):
        correct(submitted, raw="23:15")
    assert Response.objects.count() == 2


@pytest.mark.parametrize("raw", ["10:15", " 10:15 "])
def test_the_same_answer_again_corrects_nothing(submitted, raw):
    with pytest.raises(NothingToCorrect):
        correct(submitted, raw=raw)
    assert Response.objects.count() == 1


def test_a_draft_is_answered_and_not_corrected():
    with pytest.raises(NothingToCorrect, match="got a draft"):
        correct(drafts.psqi_answered(), raw="23:59")


@pytest.mark.parametrize(
    ("item_key", "raw", "error"), [("bed", "25:00", AnswerRefused), ("q17", "1", UnknownItem)]
)
def test_an_answer_that_does_not_fit_leaves_no_revision(submitted, item_key, raw, error):
    with pytest.raises(error):
        correct(submitted, item_key, raw)
    assert Response.objects.count() == 1


def test_an_answer_that_opens_another_question_wants_that_one_first():
    draft = start_response(instrument="sleep_diary", language="en", at=LATER)
    for item_key, raw in NIGHT.items():
        save_answer(response=draft, item_key=item_key, raw=raw, at=LATER)
    submitted = submit_response(response=draft, at=LATER)
    with pytest.raises(IncompleteResponse) as refused:
        correct(submitted, "awakenings", "2")
    assert refused.value.missing == ("wake_min",)
    assert Response.objects.count() == 1
    first = correct(submitted, "wake_min", "20").response
    assert correct(first, "awakenings", "2").response.revision == 3


def test_a_declined_answer_can_be_filled_in_and_others_stay_declined():
    draft = drafts.psqi_answered()
    for item_key in ("quality", "meds"):
        decline_answer(response=draft, item_key=item_key, at=LATER)
    correction = correct(submit_response(response=draft, at=LATER), "quality", "1")
    assert correction.before.is_declined
    declined = correction.response.answers.filter(is_declined=True)
    assert list(declined.values_list("item_key", flat=True)) == ["meds"]


@pytest.mark.parametrize("missing", ["author", "reason"])
def test_the_database_itself_wants_an_author_and_a_reason(submitted, missing):
    with pytest.raises(IntegrityError, match="has_author_and_reason"):
        correct(submitted, **{missing: ""})


def test_how_fast_the_participant_was_is_known_after_a_correction_too():
    draft = drafts.psqi_draft()
    for item_key, raw in drafts.PSQI_ANSWERS.items():
        save_answer(response=draft, item_key=item_key, raw=raw, at=LATER, elapsed_ms=600)
    first = submit_response(response=draft, at=LATER)
    revision = correct(first, raw="22:30").response
    assert flag_table([first.pk])[first.pk] == flag_table([revision.pk])[revision.pk] == ("fast",)
