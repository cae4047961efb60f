"""The sleep diary of a morning: written within some days, the usual times offered to confirm."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from questionnaires.models import Response
from questionnaires.selectors import answers_of, score_table
from questionnaires.services import SavedAnswer, start_response, submit_response
from studies import clock
from studies.exceptions import DiaryNotOpen, StillToCome
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.selectors.diary import mornings_open, usual_times
from studies.services.cbt.lessons import in_lessons
from studies.services.cbt.sleep_window import keep_window
from studies.services.trail.audit import participant_actor, record
from studies.services.visits.answers import keep_answer, keep_answers, keep_refusal

DIARY = "sleep_diary"
GOT_UP, NOON = "out_of_bed", "12:00"


@transaction.atomic
def diary_for(*, participant: Participant, morning_on: date) -> DiaryEntry:
    """Return the diary of a morning, begun if need be; one a morning."""
    participant = in_lessons(participant)
    mornings = mornings_open(participant)
    if morning_on not in mornings:
        raise DiaryNotOpen(mornings[-1], mornings[0], morning_on)
    entries = DiaryEntry.objects.select_related("response", "participant__study")
    entry = entries.filter(participant=participant, morning_on=morning_on).first()
    if entry is not None:
        return entry
    response = start_response(instrument=DIARY, language=participant.language, at=clock.now())
    entry = DiaryEntry.objects.create(
        participant=participant, morning_on=morning_on, response=response
    )
    _record(entry, "begin_diary", {"morning_on": morning_on})
    return entry


@transaction.atomic
def save_diary_answer(
    *, entry: DiaryEntry, item_key: str, raw: object, **manner: object
) -> SavedAnswer:
    """Keep one answer of a morning's diary; `manner` is what `keep_answer` takes."""
    return keep_answer(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        item_key=item_key,
        raw=raw,
        **manner,
    )


@transaction.atomic
def save_diary_answers(*, entry: DiaryEntry, answers: Mapping[str, object]) -> list[SavedAnswer]:
    """Keep answers of a morning's diary that come together."""
    return keep_answers(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        answers=answers,
    )


@transaction.atomic
def decline_diary_answer(*, entry: DiaryEntry, item_key: str, **manner: object) -> SavedAnswer:
    """Keep that the participant does not want to answer one item."""
    return keep_refusal(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        item_key=item_key,
        **manner,
    )


@transaction.atomic
def confirm_usual_times(*, entry: DiaryEntry) -> Mapping[str, str]:
    """Take over the times of the latest earlier diary, as the participant says; return them.

    Nobody's times are taken over without that word, and each of them can still be changed before
    the diary is handed in. The audit trail says where they came from.
    """
    times = usual_times(entry.participant, before=entry.morning_on)
    if times:
        save_diary_answers(entry=entry, answers=times)
        _record(entry, "confirm_usual_times", dict(times))
    return times


def still_to_come(entry: DiaryEntry) -> str:
    """Return when somebody says they got up, if that is later than now; else nothing.

    Only this morning's diary can be ahead of its time, and only by a time before noon: an evening
    there means the evening before.
    """
    now = _local_now(entry)
    got_up = answers_of(entry.response).get(GOT_UP)
    if got_up is None or now.date() != entry.morning_on or got_up >= NOON:
        return ""
    return got_up if got_up > f"{now:%H:%M}" else ""


@transaction.atomic
def submit_diary(*, entry: DiaryEntry) -> DiaryEntry:
    """Hand in a morning's diary; twice is once. The sleep window is looked at again."""
    response = Response.objects.select_for_update().get(pk=entry.response_id)
    if not response.is_submitted:
        if still_to_come(entry):
            raise StillToCome(GOT_UP, f"{_local_now(entry):%H:%M}")
        entry.response = submit_response(response=response, at=clock.now())
        scores = score_table([response.pk])[response.pk]
        _record(entry, "submit_diary", {"morning_on": entry.morning_on, "scores": scores})
        keep_window(participant=entry.participant)
    return entry


def _local_now(entry: DiaryEntry) -> datetime:
    return clock.now().astimezone(ZoneInfo(entry.participant.zone))


def _record(entry: DiaryEntry, action: str, new: dict[str, object]) -> None:
    actor = participant_actor(entry.participant)
    record(actor=actor, action=action, subject=entry, new=new)
