"""Lock what was checked; open it again only with a reason and a second person.

The widest lock, that of the database, is a state of the study besides, because unblinding waits
for it. It is refused while queries, safety items and the like are open, unless whoever locks says
why they stay open; the reason is kept with each.
"""

from collections.abc import Mapping, Sequence

from django.db import models, transaction

from studies import clock
from studies.exceptions import LockRefused, LooseEndsLeft, ReasonMissing
from studies.models.lock import Lock, LockException, LockLevel, LockState
from studies.models.participant import Participant
from studies.models.study import Study, StudyState
from studies.models.visit import Assessment, AssessmentState, Visit
from studies.selectors.locks import target_of
from studies.selectors.loose_ends import LooseEnds, loose_ends, seen_sha256
from studies.services.trail.audit import Actor, record
from studies.services.visits.scheduling import UNDONE


@transaction.atomic
def lock_form(*, assessment: Assessment, actor: Actor) -> Lock:
    """Lock a questionnaire that was handed in, missed or cancelled. Twice is once."""
    _refuse_unless_done([assessment])
    participant = assessment.visit.participant
    return _lock(LockLevel.FORM, assessment, participant, actor)


@transaction.atomic
def lock_item(*, assessment: Assessment, item_key: str, actor: Actor) -> Lock:
    """Lock one answer of a questionnaire that was handed in. Twice is once."""
    if assessment.state != AssessmentState.SUBMITTED:
        raise LockRefused(f"a questionnaire that is {assessment.state}")
    assessment.response.definition.item(item_key)
    participant = assessment.visit.participant
    return _lock(LockLevel.ITEM, assessment, participant, actor, item_key)


@transaction.atomic
def lock_visit(*, visit: Visit, actor: Actor) -> Lock:
    """Lock a visit whose questionnaires are all done with. Twice is once."""
    _refuse_unless_done(visit.assessments.all())
    return _lock(LockLevel.VISIT, visit, visit.participant, actor)


@transaction.atomic
def lock_participant(*, participant: Participant, actor: Actor) -> Lock:
    """Lock everything that somebody handed in, when nothing is to come any more. Twice is once."""
    _refuse_unless_done(Assessment.objects.filter(visit__participant=participant))
    return _lock(LockLevel.PARTICIPANT, participant, participant, actor)


@transaction.atomic
def lock_database(
    *, study: Study, actor: Actor, reasons: Mapping[str, str] | None = None, seen: str | None = None
) -> Lock:
    """Lock the whole database of a closed study: from now on nothing of it can be edited.

    `reasons` says for each kind of loose end why it stays open, `seen` which list of them was
    looked at (`seen_sha256`). Raises LooseEndsLeft where a kind has no reason, or the list is
    another one now.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    found, stated = loose_ends(study), reasons or {}
    study.move_to(StudyState.LOCKED)
    silent = [group for group in found if not stated.get(group.kind, "").strip()]
    if silent or seen not in {None, seen_sha256(found)}:
        raise LooseEndsLeft(study.code, [f"{len(g.ends)} x {g.kind}" for g in silent])
    lock = _lock(LockLevel.STUDY, study, None, actor)
    _keep_exceptions(lock, found, stated, actor)
    return lock


def lock_target(*, participant: Participant, target: str, actor: Actor) -> Lock:
    """Lock what a target of `selectors/locks.py` names, if it is the participant's own."""
    level, _colon, key = target.partition(":")
    if not key.isdecimal():
        raise LockRefused("something that is not there")
    visits = Visit.objects.filter(participant=participant)
    sheets = Assessment.objects.filter(visit__participant=participant)
    if level == LockLevel.PARTICIPANT and int(key) == participant.pk:
        return lock_participant(participant=participant, actor=actor)
    if level == LockLevel.VISIT and (visit := visits.filter(pk=key).first()):
        return lock_visit(visit=visit, actor=actor)
    if level == LockLevel.FORM and (sheet := sheets.filter(pk=key).first()):
        return lock_form(assessment=sheet, actor=actor)
    raise LockRefused("something that is not there")


@transaction.atomic
def ask_to_unlock(*, lock: Lock, reason: str, actor: Actor) -> Lock:
    """Ask for a lock to be opened; it holds until a second person agrees."""
    if not reason.strip():
        raise ReasonMissing("opening a lock")
    lock = _again(lock)
    lock.move_to(
        LockState.UNLOCK_ASKED,
        asked_at=clock.now(),
        asked_by=actor.name,
        asked_reason=reason.strip(),
    )
    _record(lock, "ask_to_unlock", LockState.LOCKED, actor, reason.strip())
    return lock


@transaction.atomic
def answer_unlocking(*, lock: Lock, agrees: bool, actor: Actor) -> Lock:
    """Open a lock as the second person, or leave it as it was.

    Raises
    ------
    LockRefused
        The one who asked cannot be the one who agrees, nor can a database be opened whose arms are
        known.
    """
    lock = _again(lock)
    if agrees and actor.name == lock.asked_by:
        raise LockRefused("the agreement of the person who asked")
    state = LockState.UNLOCKED if agrees else LockState.LOCKED
    lock.move_to(state, answered_at=clock.now(), answered_by=actor.name)
    if agrees and lock.level == LockLevel.STUDY:
        Study.objects.select_for_update().get(pk=lock.study_id).move_to(StudyState.CLOSED)
    action = "unlock" if agrees else "keep_locked"
    _record(lock, action, LockState.UNLOCK_ASKED, actor, lock.asked_reason)
    return lock


def _lock(
    level: LockLevel,
    row: models.Model,
    participant: Participant | None,
    actor: Actor,
    item: str = "",
) -> Lock:
    study = participant.study if participant is not None else row
    # Two who lock at once wait for each other here, and make one lock.
    Study.objects.select_for_update().get(pk=study.pk)
    target = target_of(level, row.pk, item)
    held = Lock.objects.in_force().filter(target=target).first()
    if held is not None:
        return held
    lock = Lock.objects.create(
        study=study,
        participant=participant,
        level=level,
        target=target,
        locked_at=clock.now(),
        locked_by=actor.name,
    )
    _record(lock, "lock", None, actor, "")
    return lock


def _keep_exceptions(
    lock: Lock, found: Sequence[LooseEnds], reasons: Mapping[str, str], actor: Actor
) -> None:
    for group in found:
        for end in group.ends:
            exception = LockException.objects.create(
                lock=lock,
                participant_id=end.participant,
                kind=group.kind,
                target=end.target,
                reason=reasons[group.kind].strip(),
            )
            record(
                actor=actor,
                action="lock_despite",
                subject=exception,
                new={"open": end.target, "code": end.code},
                reason=exception.reason,
            )


def _again(lock: Lock) -> Lock:
    return Lock.objects.select_for_update(of=("self",)).select_related("study").get(pk=lock.pk)


def _refuse_unless_done(assessments: "models.QuerySet[Assessment] | list[Assessment]") -> None:
    states = [assessment.state for assessment in assessments]
    if not states:
        raise LockRefused("what has no questionnaires")
    if undone := sorted(set(states) & set(UNDONE)):
        raise LockRefused(f"a questionnaire that is {undone[0]}")


def _record(lock: Lock, action: str, old: str | None, actor: Actor, reason: str) -> None:
    record(
        actor=actor,
        action=action,
        subject=lock,
        old=None if old is None else {"state": old},
        new={"state": lock.state, "level": lock.level, "target": lock.target},
        reason=reason,
    )
