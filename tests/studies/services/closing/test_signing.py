"""Signatures are bound to what was signed: any later edit breaks them, by whichever way."""

import pytest
from django.db import connection

from studies.exceptions import NothingToSign
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.services.closing.signing import casebook_sha256, sign_casebook, signatures_of
from studies.services.trail.audit import Actor, staff
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.services.closing.test_locks import correct, sheet
from tests.studies.views.browsers import short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("week4", study=make_study(protocol=short_plan()))


@pytest.fixture
def actor(participant: Participant) -> Actor:
    user = clinician_of(participant.study)
    user.first_name, user.last_name = "Ida", "Example"
    user.save()
    return staff(user)


def test_a_signature_has_name_time_and_meaning(participant: Participant, actor: Actor) -> None:
    signature = sign_casebook(participant=participant, meaning="correct", actor=actor)
    assert (signature.name, signature.role) == ("Ida Example", "Principal investigator")
    assert signature.content_sha256 == casebook_sha256(participant)
    assert [signed.holds for signed in signatures_of(participant)] == [True]
    entry = AuditEntry.objects.get(action="sign_casebook")
    assert entry.new == {"meaning": "correct", "content_sha256": signature.content_sha256}
    assert (entry.chain, entry.subject_id) == (participant.study.code, str(signature.pk))


def test_a_later_edit_breaks_a_signature(participant: Participant, actor: Actor) -> None:
    sign_casebook(participant=participant, meaning="correct", actor=actor)
    correct(sheet(participant), actor)
    sign_casebook(participant=participant, meaning="reviewed", actor=actor)
    assert [signed.holds for signed in signatures_of(participant)] == [False, True]


def test_an_edit_past_every_service_breaks_it_too(participant: Participant, actor: Actor) -> None:
    sign_casebook(participant=participant, meaning="responsible", actor=actor)
    response = sheet(participant).response_id
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE questionnaires_answer SET value = '4', raw = '4' "
            "WHERE response_id = %s AND item_key = 'item_2'",
            [
                response.hex
                if connection.vendor == "sqlite" and hasattr(response, "hex")
                else response
            ],
        )
    assert [signed.holds for signed in signatures_of(participant)] == [False]


def test_there_is_nothing_to_sign_before_something_is_handed_in(actor: Actor) -> None:
    with pytest.raises(NothingToSign):
        sign_casebook(participant=make_participant("consented"), meaning="correct", actor=actor)


def test_a_meaning_that_does_not_exist_is_refused(participant: Participant, actor: Actor) -> None:
    with pytest.raises(ValueError, match="pretty"):
        sign_casebook(participant=participant, meaning="pretty", actor=actor)
