"""Which locks hold: over one answer, over a questionnaire, over a study."""

from collections.abc import Iterable
from dataclasses import dataclass

from studies.design.roles import Ability
from studies.models.lock import Lock, LockLevel, LockState
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.user import User
from studies.models.visit import Assessment


def target_of(level: LockLevel, key: object, item: str = "") -> str:
    """Return what a lock is known by: its level, the row's key, and of one answer its item."""
    return ":".join([level, str(key), *([item] if item else [])])


def lock_on(assessment: Assessment, item_key: str = "") -> Lock | None:
    """Return the widest lock over a questionnaire, or over one of its answers; None without one."""
    found = {lock.target: lock for lock in _in_force(targets_over(assessment, item_key))}
    return next((found[t] for t in targets_over(assessment, item_key) if t in found), None)


def targets_over(assessment: Assessment, item_key: str = "") -> tuple[str, ...]:
    """Return the targets of every lock that would hold an answer, the widest first."""
    visit = assessment.visit
    wide = (
        target_of(LockLevel.STUDY, visit.participant.study_id),
        target_of(LockLevel.PARTICIPANT, visit.participant_id),
        target_of(LockLevel.VISIT, visit.pk),
        target_of(LockLevel.FORM, assessment.pk),
    )
    return (*wide, target_of(LockLevel.ITEM, assessment.pk, item_key)) if item_key else wide


def locks_of(participant: Participant) -> dict[str, Lock]:
    """Return the locks over a participant's rows that hold, by target."""
    return {lock.target: lock for lock in participant.locks.in_force()}


def waiting_locks(study: Study, seen_by: User) -> list[Lock]:
    """Return the locks that somebody asked to open, of the people that the reader may lock."""
    visible = Participant.objects.visible_to(seen_by, Ability.LOCK).filter(study=study)
    waiting = study.locks.filter(state=LockState.UNLOCK_ASKED).select_related("participant")
    return [lock for lock in waiting if lock.participant_id is None or lock.participant in visible]


def _in_force(targets: Iterable[str]) -> Iterable[Lock]:
    return Lock.objects.in_force().filter(target__in=targets)


@dataclass(frozen=True, slots=True)
class LockableRow:
    """Something of a participant that can be locked, and the lock on it if there is one."""

    target: str
    week: int | None
    instrument: str
    lock: Lock | None


def lockable_rows(participant: Participant) -> list[LockableRow]:
    """Return a participant's data from the whole down to each questionnaire; three queries."""
    held = locks_of(participant)
    whole = target_of(LockLevel.PARTICIPANT, participant.pk)
    rows = [LockableRow(whole, None, "", held.get(whole))]
    for visit in participant.visits.prefetch_related("assessments").order_by("week"):
        target = target_of(LockLevel.VISIT, visit.pk)
        rows.append(LockableRow(target, visit.week, "", held.get(target)))
        for sheet in visit.assessments.all():
            target = target_of(LockLevel.FORM, sheet.pk)
            rows.append(LockableRow(target, visit.week, sheet.instrument, held.get(target)))
    return rows
