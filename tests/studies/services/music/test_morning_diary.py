from datetime import timedelta

import pytest

from questionnaires.exceptions import IncompleteResponse
from questionnaires.instruments.errors import AnswerRefused
from questionnaires.selectors import answers_of, revisions_of, score_table
from studies import clock
from studies.design.windows import morning_of
from studies.exceptions import DiaryNotOpen, NoMusicInThisArm, NotInTreatment
from studies.models.audit import AuditEntry
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.selectors.diary import mornings_open
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.music.morning_diary import (
    decline_morning_answer,
    morning_for,
    save_morning_answer,
    submit_morning,
)
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.studies.views.browsers import learner, listener

pytestmark = pytest.mark.django_db
TAPS = {
    "latency_band": "1",
    "awakenings_band": "0",
    "sleep_band": "3",
    "quality": "4",
    "rested": "3",
    "music": "2",
}


@pytest.fixture
def participant() -> Participant:
    return listener()


def this_morning(participant: Participant) -> DiaryEntry:
    return morning_for(participant=participant, morning_on=mornings_open(participant)[0])


def answered(participant: Participant) -> DiaryEntry:
    entry = this_morning(participant)
    for item_key, raw in TAPS.items():
        save_morning_answer(entry=entry, item_key=item_key, raw=raw)
    return submit_morning(entry=entry)


def test_six_answers_make_a_morning_and_are_scored(participant: Participant) -> None:
    entry = answered(participant)
    scores = score_table([entry.response_id])[entry.response_id]
    assert scores["sleep_at_least_h"] == 7
    assert "se_pct" not in scores
    assert submit_morning(entry=entry).response_id == entry.response_id
    actions = AuditEntry.objects.filter(subject_type="studies.diaryentry")
    assert list(actions.values_list("action", flat=True)) == [
        "begin_diary", *["save_answer"] * 6, "submit_diary",
    ]  # fmt: skip


def test_there_is_one_diary_a_morning(participant: Participant) -> None:
    assert this_morning(participant) == this_morning(participant)
    assert DiaryEntry.objects.count() == 1


def test_a_missed_morning_can_be_filled_in_for_as_long_as_in_the_other_arm(
    participant: Participant,
) -> None:
    today = morning_of(clock.now(), participant.zone)
    back = participant.study.plan.skills.diary_days_back
    assert mornings_open(participant) == [today - timedelta(days=n) for n in range(back + 1)]
    morning_for(participant=participant, morning_on=today - timedelta(days=back))
    for days in (back + 1, -1):
        with pytest.raises(DiaryNotOpen):
            morning_for(participant=participant, morning_on=today - timedelta(days=days))


def test_an_incomplete_morning_is_not_handed_in(participant: Participant) -> None:
    entry = this_morning(participant)
    save_morning_answer(entry=entry, item_key="quality", raw="4")
    with pytest.raises(IncompleteResponse):
        submit_morning(entry=entry)


def test_an_answer_that_does_not_fit_is_refused(participant: Participant) -> None:
    with pytest.raises(AnswerRefused):
        save_morning_answer(entry=this_morning(participant), item_key="quality", raw="6")


def test_a_declined_answer_counts_as_given_and_is_missing_to_the_score(
    participant: Participant,
) -> None:
    entry = this_morning(participant)
    for item_key, raw in TAPS.items():
        save_morning_answer(entry=entry, item_key=item_key, raw=raw)
    decline_morning_answer(entry=entry, item_key="rested")
    entry = submit_morning(entry=entry)
    assert score_table([entry.response_id])[entry.response_id]["rested_points"] is None


def test_a_slip_of_the_finger_is_changed_as_a_revision_of_the_writers_own(
    participant: Participant,
) -> None:
    entry = answered(participant)
    entry = save_morning_answer(entry=entry, item_key="music", raw="0")
    assert answers_of(entry.response)["music"] == 0
    assert [r.author for r in revisions_of(entry.response)] == ["", participant.code]
    same = save_morning_answer(entry=entry, item_key="music", raw="0")
    assert same.response.revision == 2
    changed = AuditEntry.objects.get(action="change_diary")
    assert changed.old["given"] == {"item": "music", "raw": "2"}
    assert verify_chain(participant.study.code) == []


def test_the_arm_with_lessons_has_no_six_taps() -> None:
    with pytest.raises(NoMusicInThisArm):
        this_morning(learner())


def test_nobody_writes_a_morning_after_stopping(participant: Participant) -> None:
    withdraw_participant(participant=participant, scope="intervention", reason="", actor=SYSTEM)
    with pytest.raises(NotInTreatment):
        this_morning(participant)
