"""Which locks hold: over one answer, over a questionnaire, over a study."""

from collections.abc import Iterable
from dataclasses import dataclass

from studies.design.roles import Ability
from studies.exceptions import DatabaseLocked
from studies.models.lock import Lock, LockLevel, LockState
from studies.models.participant import Participant
from studies.models.study import Study
from studies.models.user import User
from studies.models.visit import Assessment, AssessmentState

# Nothing comes after these, so only they can be locked.
DONE_WITH = (AssessmentState.SUBMITTED, AssessmentState.MISSED, AssessmentState.CANCELLED)


def require_unlocked(study: Study) -> None:
    """Return nothing while a study's data may change; raises DatabaseLocked afterwards."""
    if study.is_locked:
        raise DatabaseLocked(study.code, study.state)


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
    is_done: bool


def lockable_rows(participant: Participant) -> list[LockableRow]:
    """Return a participant's data from the whole down to each questionnaire; three queries."""
    held = locks_of(participant)
    rows = []
    for visit in participant.visits.prefetch_related("assessments").order_by("week"):
        sheets = [_sheet_row(sheet, visit.week, held) for sheet in visit.assessments.all()]
        target, is_done = target_of(LockLevel.VISIT, visit.pk), _are_done(sheets)
        rows += [LockableRow(target, visit.week, "", held.get(target), is_done), *sheets]
    whole = target_of(LockLevel.PARTICIPANT, participant.pk)
    return [LockableRow(whole, None, "", held.get(whole), _are_done(rows)), *rows]


def _sheet_row(sheet: Assessment, week: int, held: dict[str, Lock]) -> LockableRow:
    target = target_of(LockLevel.FORM, sheet.pk)
    return LockableRow(target, week, sheet.instrument, held.get(target), sheet.state in DONE_WITH)


def _are_done(rows: list[LockableRow]) -> bool:
    return bool(rows) and all(row.is_done for row in rows)
