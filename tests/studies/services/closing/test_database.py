"""The database lock: nothing can be edited from then on, and no arm is known before."""

import pytest

from studies import clock
from studies.exceptions import CorrectionNotAllowed, DatabaseLocked, LockRefused, MoveRefused
from studies.models.audit import AuditEntry
from studies.models.deviation import Deviation
from studies.models.participant import Participant
from studies.models.query import DataQuery
from studies.models.safety import AdverseEvent
from studies.models.study import StudyState
from studies.selectors.outcomes import analysed_codes
from studies.services.closing.locks import answer_unlocking, ask_to_unlock, lock_database
from studies.services.conduct.deviations import assess_deviation, note_deviation
from studies.services.conduct.events import Account, report_event, triage_event
from studies.services.conduct.harms import record_harms_inquiry, visits_to_ask
from studies.services.conduct.queries import ask_about, close_query
from studies.services.conduct.withdrawal import withdraw_participant
from studies.services.protocol.setup import close_study, unblind_study
from studies.services.trail.audit import SYSTEM, Actor, staff
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.services.closing.test_locks import correct, sheet
from tests.studies.services.ending import STAYS_OPEN
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


def event(participant: Participant) -> AdverseEvent:
    account = Account(clock.today(participant.zone), "Fell", "mild", "none")
    return report_event(
        participant=participant, account=account, user=clinician_of(participant.study)
    )


def note(participant: Participant) -> Deviation:
    return note_deviation(
        participant=participant,
        words="called twice",
        happened_at=clock.now(),
        user=clinician_of(participant.study),
    )


def ask(participant: Participant, item: str = "item_1") -> DataQuery:
    return ask_about(
        assessment=sheet(participant),
        item_key=item,
        question="sure?",
        user=clinician_of(participant.study),
    )


def test_nothing_that_is_analysed_changes_once_the_database_is_locked(
    participant: Participant, actor: Actor
) -> None:
    user = clinician_of(participant.study)
    found, noted, asked = event(participant), note(participant), ask(participant)
    lock_database(study=participant.study, actor=actor, reasons=STAYS_OPEN)
    participant.study.refresh_from_db()
    steps = (
        lambda: withdraw_participant(participant=participant, scope="data", reason="", actor=actor),
        lambda: event(participant),
        lambda: triage_event(event=found, criteria=["hospital"], words="", user=user),
        lambda: note(participant),
        lambda: assess_deviation(deviation=noted, impact="none", measures="none", user=user),
        lambda: ask(participant, "item_2"),
        lambda: close_query(query=asked, words="settled", user=user),
        lambda: record_harms_inquiry(
            visit=participant.visits.get(week=8), was_untoward=True, actor=actor
        ),
    )
    before = AuditEntry.objects.count()
    for step in steps:
        with pytest.raises(DatabaseLocked, match="which is locked"):
            step()
    assert AuditEntry.objects.count() == before
    assert analysed_codes(participant.study) == (participant.code,)
    assert visits_to_ask(participant) == []


def test_nobody_leaves_the_analysis_once_the_arms_are_known(participant: Participant) -> None:
    lock_database(study=participant.study, actor=SYSTEM)
    unblind_study(study=participant.study, actor=SYSTEM, reason="the plan is signed")
    with pytest.raises(DatabaseLocked, match="which is unblinded"):
        withdraw_participant(participant=participant, scope="data", reason="", actor=SYSTEM)
    assert analysed_codes(participant.study) == (participant.code,)
