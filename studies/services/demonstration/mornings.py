"""Let synthetic people write their mornings, in every arm alike: only the words differ.

How long somebody goes on depends on the person and not on the arm, so that who counts mornings
cannot tell the arms apart. One person of each treatment writes to the end.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from studies.design.synthetic import Person, relief_at
from studies.models.listening import ListeningSession
from studies.models.participant import Participant
from studies.models.study import ArmKind
from studies.selectors.diary import mornings_open
from studies.services.allocation import arm_kind_of, music_participants, skills_participants
from studies.services.cbt import diary
from studies.services.music import morning_diary

Step = tuple[datetime, Callable[[], object]]

WEEKS_AT_MOST = 7
# The second of each treatment, who is well on the way in a running study, goes on to the end.
DILIGENT_AFTER = 1
NIGHTS_KEPT = 0.88
# Four weeks are written by who listens or learns most, one by who does least.
WEEKS_LEAST, WEEKS_MORE, ADHERENCE_LEAST, ADHERENCE_SPAN = 1, 3, 0.25, 0.4
LOOKS_BACK_AT = time(7, 40)
HEARD_TO_THE_END = 0.8


def morning_steps(participant: Participant, person: Person, first: date) -> Iterator[Step]:
    """Yield the mornings that one person writes, with their moments."""
    writes = {ArmKind.MUSIC: _write_taps, ArmKind.CBT: _write_diary}[arm_kind_of(participant)]
    for day in range(1, 7 * weeks_written(participant, person) + 1):
        if person.random.random() < NIGHTS_KEPT:
            moment = local(first + timedelta(days=day), LOOKS_BACK_AT, participant)
            yield moment, lambda: writes(participant, person)


def weeks_written(participant: Participant, person: Person) -> int:
    """Return for how many weeks somebody writes."""
    if is_diligent(participant):
        return WEEKS_AT_MOST
    keenness = (person.adherence - ADHERENCE_LEAST) / ADHERENCE_SPAN
    return WEEKS_LEAST + round(WEEKS_MORE * keenness)


def is_diligent(participant: Participant) -> bool:
    """Return whether somebody is the one of their treatment who goes on to the end."""
    treated = {ArmKind.MUSIC: music_participants, ArmKind.CBT: skills_participants}
    alike = treated[arm_kind_of(participant)]()
    before = alike.filter(study=participant.study, pk__lt=participant.pk)
    return before.count() == DILIGENT_AFTER


def local(day: date, at: time, participant: Participant) -> datetime:
    """Return a time of day on the participant's own clock, in UTC."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(participant.zone)).astimezone(UTC)


@transaction.atomic
def _write_diary(participant: Participant, person: Person) -> None:
    morning = mornings_open(participant)[0]
    entry = diary.diary_for(participant=participant, morning_on=morning)
    diary.save_diary_answers(entry=entry, answers=_answers(person, diary.DIARY))
    diary.submit_diary(entry=entry)


@transaction.atomic
def _write_taps(participant: Participant, person: Person) -> None:
    morning = mornings_open(participant)[0]
    entry = morning_diary.morning_for(participant=participant, morning_on=morning)
    answers = _answers(person, morning_diary.MORNING_DIARY)
    answers["music"] = _heard_before(participant, morning)
    morning_diary.save_morning_answers(entry=entry, answers=answers)
    morning_diary.submit_morning(entry=entry)


def _answers(person: Person, instrument: str) -> dict[str, str]:
    answers = person.answers(instrument, relief_at(None, 1))
    return {key: raw for key, raw in answers.items() if raw is not None}


def _heard_before(participant: Participant, morning: date) -> str:
    """Return what the diary calls the evening before: no music, a part of it, or all."""
    sessions = ListeningSession.objects.filter(
        assignment__participant=participant, assignment__night_on=morning - timedelta(days=1)
    )
    heard = sessions.values_list("heard_s", "assignment__playlist__track__duration_s").first()
    if heard is None:
        return "0"
    return "2" if heard[0] >= HEARD_TO_THE_END * heard[1] else "1"
