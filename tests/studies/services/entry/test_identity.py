import json

import pytest
from django.core.management import call_command
from pytest_django import Settings

from studies.design import sealing
from studies.design.errors import SealBroken
from studies.exceptions import IdentityErased
from studies.models.audit import AuditEntry
from studies.models.contact import ContactDetails, PersonKey
from studies.services.cbt.messages import read_thread, send_message
from studies.services.entry.identity import (
    erase_identity,
    has_identity,
    identity_of,
    keep_identity,
    open_for,
    others_with_contact,
    rotate_identity_keys,
    seal_for,
)
from studies.services.trail.audit import SYSTEM, verify_chain
from tests.factories import invite, make_participant, make_study

pytestmark = pytest.mark.django_db


def test_every_person_has_a_key_of_their_own() -> None:
    study = make_study()
    one, other = invite(study).participant, invite(study).participant
    sealed = seal_for(one, b"signed")
    assert open_for(one, sealed) == b"signed"
    with pytest.raises(SealBroken):
        open_for(other, sealed)
    assert PersonKey.objects.count() == 2


def test_no_table_has_a_name_or_a_contact_in_clear() -> None:
    make_participant()
    details = ContactDetails.objects.get()
    for kept in (bytes(details.sealed), details.blind_index.encode()):
        assert b"Ada" not in kept
        assert b"ada@example.org" not in kept


def test_what_is_added_later_stands_beside_what_was_kept() -> None:
    participant = make_participant()
    keep_identity(participant=participant, fields={"guardian_name": "Grace Example"})
    known = identity_of(participant)
    assert known["name"] == "Ada Example"
    assert known["guardian_name"] == "Grace Example"


def test_erasing_the_key_erases_the_person_even_from_a_copy_of_the_other_tables() -> None:
    participant = make_participant()
    copy, signed = bytes(ContactDetails.objects.get().sealed), seal_for(participant, b"signed")
    erase_identity(participant=participant, actor=SYSTEM)
    assert not has_identity(participant)
    with pytest.raises(IdentityErased, match=participant.code):
        identity_of(participant)
    with pytest.raises(IdentityErased):
        open_for(participant, signed)
    # A key made afterwards is another one: what was sealed before stays lost.
    seal_for(participant, b"x")
    with pytest.raises(SealBroken):
        open_for(participant, copy)
    assert AuditEntry.objects.filter(action="erase_identity").count() == 1
    assert verify_chain(participant.study.code) == []


def test_erasing_twice_is_erasing_once() -> None:
    participant = make_participant()
    for _again in range(2):
        erase_identity(participant=participant, actor=SYSTEM)
    assert AuditEntry.objects.filter(action="erase_identity").count() == 1


def test_the_same_contact_is_recognised_however_it_is_typed() -> None:
    study = make_study()
    first = invite(study).participant
    assert others_with_contact(study, " ADA@example.org ") == [first.code]
    assert others_with_contact(study, "eve@example.org") == []
    assert others_with_contact(make_study(), "ada@example.org") == []


def test_keys_rotate_and_the_old_one_can_be_taken_out(settings: Settings) -> None:
    settings.NOCTURNE_IDENTITY_KEYS = "old"
    participant = make_participant("allocated")
    signed = seal_for(participant, b"signed")
    settings.NOCTURNE_IDENTITY_KEYS = "new,old"
    assert identity_of(participant)["name"] == "Ada Example"
    assert rotate_identity_keys().renewed == 1
    again = rotate_identity_keys()
    assert (again.renewed, again.current) == (0, 1)
    settings.NOCTURNE_IDENTITY_KEYS = "new"
    assert identity_of(participant)["name"] == "Ada Example"
    assert open_for(participant, signed) == b"signed"
    assert others_with_contact(participant.study, "ada@example.org") == [participant.code]


def test_a_key_that_was_taken_out_too_early_says_what_to_do(settings: Settings) -> None:
    settings.NOCTURNE_IDENTITY_KEYS = "old"
    participant = make_participant()
    settings.NOCTURNE_IDENTITY_KEYS = "new"
    with pytest.raises(SealBroken, match="Restore the key file"):
        identity_of(participant)


def test_an_identity_from_before_people_had_keys_is_read_and_given_one(
    settings: Settings,
) -> None:
    settings.NOCTURNE_IDENTITY_KEYS = "secret"
    participant = make_participant()
    PersonKey.objects.all().delete()
    fields = {"name": "Old Example", "contact": "old@example.org"}
    ContactDetails.objects.update(
        sealed=sealing.seal_fields(fields, ["secret"], sealing.IDENTITY), blind_index=""
    )
    assert identity_of(participant) == fields
    assert rotate_identity_keys().renewed == 1
    assert json.loads(open_for(participant, ContactDetails.objects.get().sealed)) == fields
    assert others_with_contact(participant.study, "old@example.org") == [participant.code]


def test_the_command_rotates_words_too(settings: Settings, capsys) -> None:
    settings.NOCTURNE_IDENTITY_KEYS = "old"
    participant = make_participant("allocated")
    send_message(participant=participant, text="I slept well")
    settings.NOCTURNE_IDENTITY_KEYS = "new,old"
    call_command("rotate_keys")
    assert "1 identities sealed anew" in capsys.readouterr().out
    settings.NOCTURNE_IDENTITY_KEYS = "new"
    assert [message.text for message in read_thread(participant=participant)] == ["I slept well"]
