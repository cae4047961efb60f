from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from questionnaires.exceptions import IncompleteResponse
from questionnaires.models import Score
from studies import clock
from studies.design.windows import morning_of
from studies.exceptions import DiaryNotOpen, NoLessonsInThisArm, StillToCome
from studies.models.audit import AuditEntry
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import diary_of, mornings_open, usual_times
from studies.services.cbt.diary import (
    confirm_usual_times,
    diary_for,
    save_diary_answer,
    still_to_come,
    submit_diary,
)
from tests.studies.services.evenings import someone_with
from tests.studies.services.learning import NIGHT, learner_in, write_diary

pytestmark = pytest.mark.django_db
TIMES = {key: NIGHT[key] for key in ("into_bed", "tried_to_sleep", "final_waking", "out_of_bed")}


@pytest.fixture
def learner() -> Participant:
    return learner_in()


def test_a_mornings_diary_is_kept_scored_and_handed_in_once(learner: Participant) -> None:
    morning = morning_of(clock.now(), learner.zone)
    entry = diary_for(participant=learner, morning_on=morning)
    assert diary_for(participant=learner, morning_on=morning) == entry
    with pytest.raises(IncompleteResponse):
        submit_diary(entry=entry)
    write_diary(learner)
    submit_diary(entry=DiaryEntry.objects.get())
    efficiency = Score.objects.get(response=entry.response, name="se_pct").value
    assert efficiency == pytest.approx(100 * (7.5 * 60 - 30) / (8.25 * 60))
    assert AuditEntry.objects.filter(action="submit_diary").count() == 1


def test_the_night_is_derived_by_the_stated_formulas(learner: Participant) -> None:
    write_diary(learner)
    (row,) = diary_of(learner)
    assert row.values == pytest.approx(
        {
            "tib_min": 495,
            "sol_min": 20,
            "waso_min": 10,
            "twak_min": 15,
            "tst_min": 420,
            "se_pct": 100 * 420 / 495,
            "se_dse_pct": 100 * 420 / 450,
        }
    )
    assert (row.night.in_bed_min, row.night.asleep_min, row.days_late) == (495, 420, 0)


@pytest.mark.parametrize(
    "changes", [{"into_bed": "10:30"}, {"latency_min": "300", "wake_min": "200"}]
)
def test_a_night_that_contradicts_itself_does_not_count(
    learner: Participant, changes: dict[str, str]
) -> None:
    write_diary(learner, {**NIGHT, **changes})
    (row,) = diary_of(learner)
    assert row.night is None
    assert row.flags_against


def test_the_diary_of_two_mornings_back_is_the_last_one(learner: Participant) -> None:
    today = morning_of(clock.now(), learner.zone)
    assert mornings_open(learner) == [today - timedelta(days=back) for back in range(3)]
    for wrong in (today + timedelta(days=1), today - timedelta(days=3)):
        with pytest.raises(DiaryNotOpen, match=str(wrong)):
            diary_for(participant=learner, morning_on=wrong)


def test_a_night_written_later_says_so(learner: Participant) -> None:
    morning = morning_of(clock.now(), learner.zone)
    entry = diary_for(participant=learner, morning_on=morning - timedelta(days=2))
    for key, raw in NIGHT.items():
        save_diary_answer(entry=entry, item_key=key, raw=raw)
    submit_diary(entry=entry)
    assert diary_of(learner)[0].days_late == 2


def test_usual_times_are_offered_confirmed_and_never_handed_in_alone(learner: Participant) -> None:
    today = morning_of(clock.now(), learner.zone)
    assert usual_times(learner, before=today) == {}
    write_diary(learner)
    with clock.at(clock.now() + timedelta(days=1)):
        tomorrow = morning_of(clock.now(), learner.zone)
        assert usual_times(learner, before=tomorrow) == TIMES
        entry = diary_for(participant=learner, morning_on=tomorrow)
        assert not entry.response.answers.exists()
        confirm_usual_times(entry=entry)
        kept = dict(entry.response.answers.values_list("item_key", "raw"))
        assert kept == TIMES
        with pytest.raises(IncompleteResponse):
            submit_diary(entry=entry)
    assert AuditEntry.objects.get(action="confirm_usual_times").new == TIMES


def test_the_music_arms_have_no_full_diary() -> None:
    listener = someone_with(ArmKind.MUSIC)
    with pytest.raises(NoLessonsInThisArm):
        diary_for(participant=listener, morning_on=morning_of(clock.now(), listener.zone))


def test_getting_up_that_is_still_to_come_waits_and_nothing_is_lost(learner: Participant) -> None:
    zone = ZoneInfo(learner.zone)
    with clock.at(clock.now().astimezone(zone).replace(hour=6, minute=40)):
        with pytest.raises(StillToCome, match="out_of_bed before 06:40"):
            write_diary(learner)
        entry = DiaryEntry.objects.get()
        assert (still_to_come(entry), entry.response.answers.count()) == ("06:45", 8)
    with clock.at(clock.now().astimezone(zone).replace(hour=6, minute=46)):
        assert still_to_come(entry) == ""
        assert submit_diary(entry=entry).response.is_submitted


def test_an_evening_time_of_getting_up_is_not_taken_for_one_to_come(learner: Participant) -> None:
    write_diary(learner, {**NIGHT, "final_waking": "19:10", "out_of_bed": "19:30"})
    assert DiaryEntry.objects.get().response.is_submitted
