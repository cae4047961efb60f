"""One arm that becomes known too early leaves a record, and the investigator learns of it."""

import pytest
from django.core import mail

from studies import clock
from studies.exceptions import NotAllocated, ReasonMissing
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.unblinding import Unblinding
from studies.services.allocation import arm_of
from studies.services.closing.unblinding import (
    Notice,
    break_blind,
    report_unblinding,
    tell_investigators,
)
from studies.services.trail.audit import Actor, staff, verify_chain
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.views.browsers import short_plan
from tests.studies.views.test_blinding import ARM_WORDS

pytestmark = pytest.mark.django_db
WHY = {"reason": "admitted with a rash", "impact": "the ward knows, the assessor does not"}


@pytest.fixture
def participant() -> Participant:
    person = make_participant("allocated", study=make_study(protocol=short_plan()))
    investigator = clinician_of(person.study)
    investigator.email = "pi@example.org"
    investigator.save()
    return person


@pytest.fixture
def actor(participant: Participant) -> Actor:
    return staff(make_staff("coordinator", study=participant.study))


def test_an_emergency_unblinding_tells_one_arm_and_is_recorded_with_its_impact(
    participant: Participant, actor: Actor
) -> None:
    arm = break_blind(participant=participant, actor=actor, **WHY)
    assert arm == arm_of(participant)
    row = Unblinding.objects.get()
    assert (row.kind, row.reason, row.impact) == ("emergency", WHY["reason"], WHY["impact"])
    assert row.unblinded_by == actor.name
    entry = AuditEntry.objects.get(action="unblind_participant")
    assert (entry.subject_id, entry.actor) == (str(participant.pk), actor.name)
    assert arm.code not in str(vars(entry))
    assert verify_chain(participant.study.code) == []


def test_the_investigator_is_told_at_once_and_not_the_arm(
    participant: Participant, actor: Actor, django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        break_blind(participant=participant, actor=actor, **WHY)
    assert Unblinding.objects.get().told_at is not None
    assert tell_investigators(unblinding=Unblinding.objects.get(), actor=actor) == Notice.SENT
    (message,) = mail.outbox
    assert message.to == ["pi@example.org"]
    assert participant.code in message.body
    assert ARM_WORDS.findall(message.body + message.subject) == []


def test_a_mail_server_that_is_down_hides_no_unblinding(
    participant: Participant,
    actor: Actor,
    settings: object,
    django_capture_on_commit_callbacks: object,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    with django_capture_on_commit_callbacks(execute=True):
        break_blind(participant=participant, actor=actor, **WHY)
    row = Unblinding.objects.get()
    assert row.told_at is None
    assert tell_investigators(unblinding=row, actor=actor) == Notice.SERVER_DOWN
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.NOCTURNE_SENDS_MAIL = False
    assert tell_investigators(unblinding=row, actor=actor) == Notice.NO_SERVER
    settings.NOCTURNE_SENDS_MAIL = True
    assert tell_investigators(unblinding=row, actor=actor) == Notice.SENT
    assert Unblinding.objects.get().told_at is not None
    entries = AuditEntry.objects.filter(action="tell_investigators").order_by("number")
    told = [(entry.actor, entry.new["became"]) for entry in entries]
    assert told[0] == ("system", "server_down")
    assert [became for _who, became in told[1:]] == ["server_down", "no_server", "sent"]
    assert {who for who, _became in told[1:]} == {actor.name}


def test_investigators_without_an_address_are_told_by_nobody_and_that_shows(
    participant: Participant, actor: Actor, django_capture_on_commit_callbacks: object
) -> None:
    clinician_of(participant.study).memberships.update(revoked_at=clock.now())
    with django_capture_on_commit_callbacks(execute=True):
        break_blind(participant=participant, actor=actor, **WHY)
    assert mail.outbox == []
    assert Unblinding.objects.get().told_at is None
    assert AuditEntry.objects.get(action="tell_investigators").new["became"] == "no_address"


def test_an_accidental_unblinding_is_recorded_and_tells_nothing(
    participant: Participant, actor: Actor
) -> None:
    row = report_unblinding(participant=participant, actor=actor, **WHY)
    assert row.kind == "accidental"
    assert ARM_WORDS.findall(str(vars(row))) == []


@pytest.mark.parametrize("missing", ["reason", "impact"])
def test_nothing_is_told_without_reason_and_impact(
    missing: str, participant: Participant, actor: Actor
) -> None:
    with pytest.raises(ReasonMissing):
        break_blind(participant=participant, actor=actor, **{**WHY, missing: " "})
    assert not Unblinding.objects.exists()


def test_somebody_without_an_arm_has_none_to_tell(actor: Actor) -> None:
    newcomer = make_participant("baseline_done", study=make_study(protocol=short_plan()))
    for step in (break_blind, report_unblinding):
        with pytest.raises(NotAllocated):
            step(participant=newcomer, actor=actor, **WHY)
