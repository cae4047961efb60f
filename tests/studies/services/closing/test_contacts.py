"""Names and contacts are erased on their day; answers and the audit chain stay whole."""

from datetime import timedelta

import pytest

from studies import clock
from studies.exceptions import ErasureRefused
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.retention import ContactRetention
from studies.models.visit import Assessment
from studies.services.closing.contacts import (
    erase_contact,
    erase_due_contacts,
    set_erasure_day,
)
from studies.services.closing.locks import lock_database
from studies.services.entry.copies import copies_of
from studies.services.entry.identity import has_identity
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    person = make_participant("week8", study=make_study(protocol=short_plan()))
    close_study(study=person.study, actor=SYSTEM)
    person.study.refresh_from_db()
    return person


def _in(days: int) -> object:
    return clock.today("Asia/Shanghai") + timedelta(days=days)


def test_contacts_are_erased_on_their_day_and_the_chain_still_holds(
    participant: Participant,
) -> None:
    study = participant.study
    set_erasure_day(study=study, erase_on=_in(30), actor=SYSTEM)
    assert erase_due_contacts() == 0
    assert has_identity(participant)
    with clock.at(clock.now() + timedelta(days=30)):
        assert erase_due_contacts() == 1
        assert erase_due_contacts() == 0
    assert not has_identity(participant)
    assert not participant.links.filter(revoked_at=None).exists()
    assert Assessment.objects.filter(visit__participant=participant, state="submitted").exists()
    assert ContactRetention.objects.get().n_erased == 1
    assert AuditEntry.objects.get(action="erase_contacts").new["n_erased"] == 1
    assert verify_chain(study.code) == []


def test_the_day_can_be_moved_until_it_has_come(participant: Participant) -> None:
    study = participant.study
    set_erasure_day(study=study, erase_on=_in(30), actor=SYSTEM)
    set_erasure_day(study=study, erase_on=_in(60), actor=SYSTEM)
    with clock.at(clock.now() + timedelta(days=59)):
        assert erase_due_contacts() == 0
    with clock.at(clock.now() + timedelta(days=61)):
        assert erase_due_contacts() == 1
        with pytest.raises(ErasureRefused, match="erased already"):
            set_erasure_day(study=study, erase_on=_in(90), actor=SYSTEM)


def test_a_study_that_still_needs_its_people_keeps_them() -> None:
    with pytest.raises(ErasureRefused, match="a study that ended was expected"):
        set_erasure_day(study=make_study(), erase_on=_in(30), actor=SYSTEM)


def test_a_day_that_has_passed_is_refused(participant: Participant) -> None:
    with pytest.raises(ErasureRefused, match="a day after"):
        set_erasure_day(study=participant.study, erase_on=_in(0), actor=SYSTEM)


def test_one_person_is_forgotten_under_the_lock_and_their_data_stay(
    participant: Participant,
) -> None:
    study = participant.study
    other = make_participant(study=make_study(protocol=short_plan()))
    with pytest.raises(ErasureRefused, match="Record a withdrawal"):
        erase_contact(participant=participant, actor=SYSTEM)
    lock_database(study=study, actor=SYSTEM)
    answers = Assessment.objects.filter(visit__participant=participant, state="submitted").count()
    erase_contact(participant=participant, actor=SYSTEM)
    erase_contact(participant=participant, actor=SYSTEM)
    assert not has_identity(participant)
    assert has_identity(other)
    assert copies_of(participant) == []
    assert not participant.links.filter(revoked_at=None).exists()
    participant.refresh_from_db()
    assert participant.state == "completed"
    assert not participant.withdrawals.exists()
    left = Assessment.objects.filter(visit__participant=participant, state="submitted")
    assert left.count() == answers > 0
    assert AuditEntry.objects.filter(action="erase_identity").count() == 1
    assert verify_chain(study.code) == []
