"""Locks hold what was checked; opening one takes a reason and a second person."""

import pytest

from studies.exceptions import (
    CorrectionNotAllowed,
    LockRefused,
    MoveRefused,
    ReasonMissing,
)
from studies.models.audit import AuditEntry
from studies.models.lock import Lock, LockLevel
from studies.models.participant import Participant
from studies.models.visit import Assessment
from studies.services.closing.locks import (
    answer_unlocking,
    ask_to_unlock,
    lock_form,
    lock_item,
    lock_participant,
    lock_visit,
)
from studies.services.trail.audit import Actor, staff, verify_chain
from studies.services.visits.correction import correct_assessment, obstacle_to_correcting
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("week8", study=make_study(protocol=short_plan()))


@pytest.fixture
def actor(participant: Participant) -> Actor:
    return staff(clinician_of(participant.study))


@pytest.fixture
def second(participant: Participant) -> Actor:
    return staff(make_staff("coordinator", study=participant.study))


def sheet(participant: Participant, week: int = 4) -> Assessment:
    return Assessment.objects.get(visit__participant=participant, visit__week=week)


def correct(assessment: Assessment, actor: Actor, item: str = "item_1") -> None:
    assessment.refresh_from_db()
    correct_assessment(
        assessment=assessment,
        item_key=item,
        raw="4",
        reason="misread",
        seen_revision=assessment.response.revision,
        actor=actor,
    )


def lock(level: str, participant: Participant, actor: Actor) -> Lock:
    assessment = sheet(participant)
    return {
        "item": lambda: lock_item(assessment=assessment, item_key="item_1", actor=actor),
        "form": lambda: lock_form(assessment=assessment, actor=actor),
        "visit": lambda: lock_visit(visit=assessment.visit, actor=actor),
        "participant": lambda: lock_participant(participant=participant, actor=actor),
    }[level]()


LEVELS = ["item", "form", "visit", "participant"]


@pytest.mark.parametrize("level", LEVELS)
def test_a_lock_of_any_level_takes_no_correction_until_it_is_opened(
    level: str, participant: Participant, actor: Actor, second: Actor
) -> None:
    held = lock(level, participant, actor)
    with pytest.raises(CorrectionNotAllowed, match=f"locked \\({level}\\)"):
        correct(sheet(participant), actor)
    ask_to_unlock(lock=held, reason="a digit was misread", actor=actor)
    with pytest.raises(CorrectionNotAllowed, match="locked"):
        correct(sheet(participant), actor)
    answer_unlocking(lock=held, agrees=True, actor=second)
    correct(sheet(participant), actor)


def test_a_lock_holds_no_more_than_it_says(participant: Participant, actor: Actor) -> None:
    lock("item", participant, actor)
    correct(sheet(participant), actor, item="item_2")
    lock("visit", participant, actor)
    correct(sheet(participant, week=8), actor)
    assert obstacle_to_correcting(sheet(participant)) == "what is locked (visit)"


def test_the_one_who_asked_cannot_agree(
    participant: Participant, actor: Actor, second: Actor
) -> None:
    held = ask_to_unlock(lock=lock("form", participant, actor), reason="misread", actor=actor)
    with pytest.raises(LockRefused, match="the person who asked"):
        answer_unlocking(lock=held, agrees=True, actor=actor)
    answer_unlocking(lock=held, agrees=False, actor=second)
    held.refresh_from_db()
    assert (held.state, held.answered_by) == ("locked", second.name)


def test_no_lock_is_opened_without_a_reason_or_without_being_asked_for(
    participant: Participant, actor: Actor, second: Actor
) -> None:
    held = lock("form", participant, actor)
    with pytest.raises(ReasonMissing):
        ask_to_unlock(lock=held, reason="  ", actor=actor)
    with pytest.raises(MoveRefused, match="a lock that is locked can become unlock_asked"):
        answer_unlocking(lock=held, agrees=True, actor=second)


def test_a_lock_that_was_opened_stays_so_and_a_new_one_can_follow(
    participant: Participant, actor: Actor, second: Actor
) -> None:
    first = lock("form", participant, actor)
    assert lock("form", participant, actor) == first
    ask_to_unlock(lock=first, reason="misread", actor=actor)
    answer_unlocking(lock=first, agrees=True, actor=second)
    with pytest.raises(MoveRefused, match="final"):
        ask_to_unlock(lock=first, reason="again", actor=actor)
    assert lock("form", participant, actor) != first
    assert Lock.objects.in_force().count() == 1


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_still_to_come_is_not_locked(level: str) -> None:
    newcomer = make_participant("allocated", study=make_study(protocol=short_plan()))
    with pytest.raises(LockRefused, match="a questionnaire that is scheduled"):
        lock(level, newcomer, staff(clinician_of(newcomer.study)))


def test_nothing_is_not_locked() -> None:
    newcomer = make_participant()
    with pytest.raises(LockRefused, match="no questionnaires"):
        lock_participant(participant=newcomer, actor=staff(clinician_of(newcomer.study)))


def test_every_step_of_a_lock_is_in_the_trail(
    participant: Participant, actor: Actor, second: Actor
) -> None:
    held = lock("visit", participant, actor)
    ask_to_unlock(lock=held, reason="misread", actor=actor)
    answer_unlocking(lock=held, agrees=True, actor=second)
    entries = AuditEntry.objects.filter(subject_type="studies.lock").order_by("number")
    told = [(entry.action, entry.actor, entry.reason) for entry in entries]
    assert told == [
        ("lock", actor.name, ""),
        ("ask_to_unlock", actor.name, "misread"),
        ("unlock", second.name, "misread"),
    ]
    assert entries[0].new["level"] == LockLevel.VISIT
    assert verify_chain(participant.study.code) == []
