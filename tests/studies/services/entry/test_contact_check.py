import re
from datetime import timedelta

import pytest
from django.core import mail

from studies import clock
from studies.design.protocol import Protocol, four_arms
from studies.exceptions import (
    ContactCodeRefused,
    ContactNotMailable,
    NotReadyForAllocation,
    ReasonMissing,
)
from studies.models.access import ContactCode
from studies.models.audit import AuditEntry
from studies.models.consent import ConsentState
from studies.models.participant import Participant
from studies.models.study import Study
from studies.selectors.worklist import Attention, worklist
from studies.services.allocation import allocate_participant
from studies.services.entry.contact_check import (
    confirm_contact,
    enter_code,
    mail_code,
    speak_code,
)
from studies.services.entry.identity import keep_identity
from studies.services.trail.audit import SYSTEM
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.views.browsers import clinician_in

pytestmark = pytest.mark.django_db


def is_verified(participant: Participant) -> bool:
    return Participant.objects.get(pk=participant.pk).contact_verified_at is not None


def lenient() -> Protocol:
    """Return a protocol from before the template asked for it."""
    older = four_arms(1).to_json()
    del older["consent"]
    return Protocol.from_json(older)


def unreached(study: Study) -> Participant:
    participant = make_participant("baseline_done", study=study)
    Participant.objects.filter(pk=participant.pk).update(contact_verified_at=None)
    return Participant.objects.get(pk=participant.pk)


def test_a_spoken_code_verifies_once_and_lies_nowhere_in_clear() -> None:
    participant = make_participant()
    code = speak_code(participant=participant, actor=SYSTEM)
    assert re.fullmatch(r"\d{6}", code)
    assert code not in ContactCode.objects.get().code_hash
    assert not AuditEntry.objects.filter(new__icontains=code).exists()
    enter_code(participant=participant, code=code)
    assert is_verified(participant)
    enter_code(participant=participant, code="000000")
    assert AuditEntry.objects.filter(action="verify_contact").count() == 1


def test_a_mailed_code_goes_to_the_address_and_names_nobody() -> None:
    participant = make_participant()
    mail_code(participant=participant, actor=SYSTEM)
    message = mail.outbox[0]
    assert message.to == ["ada@example.org"]
    assert "Ada" not in message.subject + message.body
    enter_code(participant=participant, code=re.search(r"\d{6}", message.body)[0])
    assert is_verified(participant)


def test_a_telephone_gets_no_mail() -> None:
    participant = make_participant()
    keep_identity(participant=participant, fields={"contact": "+44 20 7946 0000"})
    with pytest.raises(ContactNotMailable, match="Say the code"):
        mail_code(participant=participant, actor=SYSTEM)
    assert not mail.outbox
    assert not ContactCode.objects.exists()


def test_a_code_dies_after_ten_minutes_five_tries_or_a_newer_one() -> None:
    participant = make_participant()
    code = speak_code(participant=participant, actor=SYSTEM)
    with clock.at(clock.now() + timedelta(minutes=11)), pytest.raises(ContactCodeRefused):
        enter_code(participant=participant, code=code)
    newer = speak_code(participant=participant, actor=SYSTEM)
    if newer != code:
        with pytest.raises(ContactCodeRefused):
            enter_code(participant=participant, code=code)
    wrong = f"{(int(newer) + 1) % 10**6:06d}"
    for _try in range(5):
        with pytest.raises(ContactCodeRefused):
            enter_code(participant=participant, code=wrong)
    with pytest.raises(ContactCodeRefused, match="none that lives"):
        enter_code(participant=participant, code=newer)
    assert not is_verified(participant)


def test_staffs_word_needs_the_way_they_reached_them() -> None:
    participant = make_participant()
    with pytest.raises(ReasonMissing):
        confirm_contact(participant=participant, actor=SYSTEM, reason=" ")
    confirm_contact(participant=participant, actor=SYSTEM, reason="called back on the number")
    assert is_verified(participant)
    assert AuditEntry.objects.get(action="verify_contact").reason == "called back on the number"


def test_in_a_new_study_nobody_is_allocated_unreached() -> None:
    study = make_study()
    participant = unreached(study)
    row = worklist(study, clinician_of(study))[0]
    assert row.attention == Attention.CONTACT
    page = clinician_in(study).get(f"/clinic/{study.code}/").content.decode()
    assert f"/clinic/{study.code}/p/{participant.code}/contact/check/" in page
    with pytest.raises(NotReadyForAllocation, match="the contact is not verified"):
        allocate_participant(participant=participant, actor=SYSTEM)
    confirm_contact(participant=participant, actor=SYSTEM, reason="seen at the clinic")
    assert worklist(study, clinician_of(study))[0].attention == Attention.ALLOCATE
    allocate_participant(participant=participant, actor=SYSTEM)


def test_a_protocol_that_does_not_ask_for_it_allocates_as_it_did() -> None:
    study = make_study(protocol=lenient())
    participant = unreached(study)
    assert worklist(study, clinician_of(study))[0].attention == Attention.ALLOCATE
    allocate_participant(participant=participant, actor=SYSTEM)


def test_nobody_is_allocated_while_consent_to_the_present_text_is_missing() -> None:
    participant = make_participant("baseline_done")
    participant.consents.filter(role="permission").update(state=ConsentState.SUPERSEDED)
    with pytest.raises(NotReadyForAllocation, match="consent to the present text"):
        allocate_participant(participant=participant, actor=SYSTEM)
