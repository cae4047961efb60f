"""The morning diary of the music arms: six taps about one night, one diary a morning.

It is handed in by its last answer, because nobody should have to press twice half awake. As long as
the morning can be written, its writer may change an answer: that is a revision of their own.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date

from django.db import transaction

from questionnaires.exceptions import NothingToCorrect
from questionnaires.selectors import score_table
from questionnaires.services import correct_answer, start_response, submit_response
from studies import clock
from studies.exceptions import DiaryNotOpen, NoMusicInThisArm, NotInTreatment
from studies.models.cbt import DiaryEntry
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import mornings_open
from studies.services.allocation import arm_kind_of
from studies.services.trail.audit import participant_actor, record
from studies.services.treatment import is_in_treatment
from studies.services.visits.answers import keep_answer, keep_answers, keep_refusal, told

MORNING_DIARY = "morning_diary"
CHANGED_BY_ITS_WRITER = "changed by the participant"


def morning_entries(participant: Participant) -> dict[date, DiaryEntry]:
    """Return what was begun of the mornings that can be written now, by morning."""
    mornings = mornings_open(participant)
    own = DiaryEntry.objects.filter(participant=participant, morning_on__in=mornings)
    return {entry.morning_on: entry for entry in own.select_related("response")}


@transaction.atomic
def morning_for(*, participant: Participant, morning_on: date) -> DiaryEntry:
    """Return the diary of a morning, begun if need be; raises DiaryNotOpen."""
    participant = _in_music(participant)
    mornings = mornings_open(participant)
    if morning_on not in mornings:
        raise DiaryNotOpen(mornings[-1], mornings[0], morning_on)
    entries = DiaryEntry.objects.select_related("response", "participant__study")
    entry = entries.filter(participant=participant, morning_on=morning_on).first()
    if entry is not None:
        return entry
    response = start_response(
        instrument=MORNING_DIARY, language=participant.language, at=clock.now()
    )
    entry = DiaryEntry.objects.create(
        participant=participant, morning_on=morning_on, response=response
    )
    _record(entry, "begin_diary", None, {"morning_on": morning_on})
    return entry


@transaction.atomic
def save_morning_answer(
    *, entry: DiaryEntry, item_key: str, raw: object, **manner: object
) -> DiaryEntry:
    """Keep one answer; of a diary that was handed in already, as a revision by its writer."""
    entry = _locked(entry)
    if entry.response.is_submitted:
        with suppress(NothingToCorrect):
            _revise(entry, item_key, raw)
        return entry
    keep_answer(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        item_key=item_key,
        raw=raw,
        **manner,
    )
    return entry


@transaction.atomic
def save_morning_answers(*, entry: DiaryEntry, answers: Mapping[str, object]) -> DiaryEntry:
    """Keep answers of a diary that was not handed in yet and that come together."""
    entry = _locked(entry)
    keep_answers(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        answers=answers,
    )
    return entry


@transaction.atomic
def decline_morning_answer(*, entry: DiaryEntry, item_key: str, **manner: object) -> DiaryEntry:
    """Keep that the participant does not want to answer an item."""
    entry = _locked(entry)
    keep_refusal(
        subject=entry,
        participant=entry.participant,
        response=entry.response,
        item_key=item_key,
        **manner,
    )
    return entry


@transaction.atomic
def submit_morning(*, entry: DiaryEntry) -> DiaryEntry:
    """Hand in a morning whose answers are complete; twice is once."""
    entry = _locked(entry)
    if not entry.response.is_submitted:
        entry.response = submit_response(response=entry.response, at=clock.now())
        scores = score_table([entry.response_id])[entry.response_id]
        new = {"morning_on": entry.morning_on, "scores": scores}
        _record(entry, "submit_diary", None, new)
    return entry


def _revise(entry: DiaryEntry, item_key: str, raw: object) -> None:
    before = entry.response
    correction = correct_answer(
        response=before,
        item_key=item_key,
        raw=raw,
        author=entry.participant.code,
        reason=CHANGED_BY_ITS_WRITER,
        at=clock.now(),
    )
    entry.response = correction.response
    entry.save(update_fields=["response"])
    item = before.definition.item(item_key)
    _record(
        entry,
        "change_diary",
        {"revision": before.revision, "given": told(item, correction.before)},
        {"revision": correction.response.revision, "given": told(item, correction.after)},
    )


def _locked(entry: DiaryEntry) -> DiaryEntry:
    rows = DiaryEntry.objects.select_for_update(of=("self",))
    return rows.select_related("response", "participant__study").get(pk=entry.pk)


def _in_music(participant: Participant) -> Participant:
    # The participant's row is the lock: of two tabs, one begins the morning.
    rows = Participant.objects.select_for_update(of=("self",)).select_related("study")
    participant = rows.get(pk=participant.pk)
    if not is_in_treatment(participant):
        raise NotInTreatment(participant.code, participant.state)
    if arm_kind_of(participant) != ArmKind.MUSIC:
        raise NoMusicInThisArm
    return participant


def _record(
    entry: DiaryEntry, action: str, old: dict[str, object] | None, new: dict[str, object]
) -> None:
    actor = participant_actor(entry.participant)
    record(actor=actor, action=action, subject=entry, old=old, new=new)
