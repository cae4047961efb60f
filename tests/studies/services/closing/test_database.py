"""The database lock: nothing can be edited from then on, and no arm is known before."""

import pytest

from studies.exceptions import CorrectionNotAllowed, LockRefused, MoveRefused
from studies.models.participant import Participant
from studies.models.study import StudyState
from studies.services.closing.locks import answer_unlocking, ask_to_unlock, lock_database
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM, Actor, staff
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.services.closing.test_locks import correct, sheet
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    """Somebody in a study that has just closed."""
    person = make_participant("week8", study=make_study(protocol=short_plan()))
    close_study(study=person.study, actor=SYSTEM)
    person.study.refresh_from_db()
    return person


@pytest.fixture
def actor(participant: Participant) -> Actor:
    return staff(clinician_of(participant.study))


@pytest.fixture
def second(participant: Participant) -> Actor:
    return staff(make_staff("researcher", study=participant.study))


def test_a_locked_database_takes_no_correction(participant: Participant, actor: Actor) -> None:
    correct(sheet(participant), actor)
    lock_database(study=participant.study, actor=actor)
    with pytest.raises(CorrectionNotAllowed, match="a study that is locked"):
        correct(sheet(participant), actor, item="item_2")


def test_a_database_is_opened_again_by_two_people_and_as_long_as_no_arm_is_known(
    participant: Participant, actor: Actor, second: Actor
) -> None:
    study = participant.study
    held = lock_database(study=study, actor=actor)
    ask_to_unlock(lock=held, reason="a late form came in", actor=actor)
    with pytest.raises(LockRefused):
        answer_unlocking(lock=held, agrees=True, actor=actor)
    answer_unlocking(lock=held, agrees=True, actor=second)
    study.refresh_from_db()
    assert study.state == StudyState.CLOSED
    correct(sheet(participant), actor)
    held = lock_database(study=study, actor=actor)
    unblind_study(study=study, actor=actor, reason="the plan is signed")
    ask_to_unlock(lock=held, reason="one more", actor=actor)
    with pytest.raises(MoveRefused, match="final"):
        answer_unlocking(lock=held, agrees=True, actor=second)


def test_an_open_study_is_closed_first(actor: Actor) -> None:
    with pytest.raises(MoveRefused, match="study that is open can become closed"):
        lock_database(study=make_study(), actor=actor)
