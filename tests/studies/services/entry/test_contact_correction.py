import json

import pytest

from studies.exceptions import (
    ContactCodeRefused,
    DatabaseLocked,
    GuardianNotNeeded,
    IdentityErased,
    LinkRevoked,
    LinkUnknown,
)
from studies.models.access import Holder
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, Screening
from studies.models.study import Study
from studies.services.conduct.reminder_mail import address_of, participant_for, token
from studies.services.entry.access import link_for_token, set_pin
from studies.services.entry.contact_check import enter_code, speak_code
from studies.services.entry.contact_correction import correct_contact
from studies.services.entry.identity import erase_identity, identity_of, others_with_contact
from studies.services.entry.screening import screen
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import PIN, clinician_of, make_participant, make_study, name_guardian

pytestmark = pytest.mark.django_db

RIGHT = "ada.example@example.org"


def correct(
    participant: Participant,
    contact: str = RIGHT,
    *,
    holder: str = Holder.PARTICIPANT,
    cause: str = "mistyped",
) -> str:
    actor = staff(clinician_of(participant.study))
    return correct_contact(
        participant=participant, holder=holder, contact=contact, cause=cause, actor=actor
    )


def again(participant: Participant) -> Participant:
    return Participant.objects.select_related("study").get(pk=participant.pk)


def test_what_the_old_address_was_sent_dies_and_the_new_one_is_verified_anew() -> None:
    participant = make_participant("consented")
    old = token(participant, address_of(participant))
    assert participant_for(old) == participant
    fresh = correct(participant)
    with pytest.raises(LinkRevoked):
        link_for_token(participant.url_token)
    with pytest.raises(LinkUnknown):
        participant_for(old)
    assert set_pin(token=fresh, pin=PIN) == participant
    assert again(participant).contact_verified_at is None
    assert participant_for(token(participant, RIGHT)) == participant
    assert identity_of(participant)["name"] == "Ada Example"


def test_a_code_that_went_to_the_old_contact_verifies_nothing() -> None:
    participant = make_participant()
    code = speak_code(participant=participant, actor=SYSTEM)
    correct(participant, "+44 20 7946 0000")
    with pytest.raises(ContactCodeRefused, match="none that lives"):
        enter_code(participant=participant, code=code)


def test_the_trail_has_who_whose_and_why_and_no_contact() -> None:
    participant = make_participant()
    correct(participant)
    entry = AuditEntry.objects.get(action="correct_contact")
    assert entry.actor == clinician_of(participant.study).username
    assert (entry.old, entry.new, entry.reason) == (None, {"holder": "participant"}, "mistyped")
    kept = json.dumps(list(AuditEntry.objects.values_list("old", "new", "reason", "actor")))
    assert RIGHT not in kept
    assert "ada@" not in kept


def test_a_guardians_contact_is_corrected_and_the_childs_way_in_stays() -> None:
    participant = make_participant()
    theirs = name_guardian(participant)
    fresh = correct(participant, "mum@example.org", holder=Holder.GUARDIAN)
    with pytest.raises(LinkRevoked):
        link_for_token(theirs, Holder.GUARDIAN)
    assert link_for_token(fresh, Holder.GUARDIAN).participant == participant
    assert link_for_token(participant.url_token).participant == participant
    assert identity_of(participant)["guardian_contact"] == "mum@example.org"
    assert identity_of(participant)["contact"] == "ada@example.org"


def test_who_tries_to_enter_again_is_recognised_by_the_right_contact() -> None:
    participant = make_participant()
    study: Study = participant.study
    correct(participant)
    assert others_with_contact(study, RIGHT) == [participant.code]
    attempt = screen(study=study, site=participant.site, contact=RIGHT, age_years=15, actor=SYSTEM)
    assert attempt.repeats == 1
    assert Screening.objects.get(participant=participant).repeats == 0


def test_the_same_contact_again_changes_nothing() -> None:
    participant = make_participant("consented")
    assert correct(participant, " ada@example.org ") == ""
    assert link_for_token(participant.url_token)
    assert again(participant).contact_verified_at is not None
    assert not AuditEntry.objects.filter(action="correct_contact").exists()


def test_refused_without_a_guardian_after_erasure_and_under_the_lock() -> None:
    participant = make_participant()
    with pytest.raises(GuardianNotNeeded, match="no guardian"):
        correct(participant, holder=Holder.GUARDIAN)
    with pytest.raises(ValueError, match="why not"):
        correct(participant, cause="why not")
    Study.objects.filter(pk=participant.study_id).update(state="locked")
    with pytest.raises(DatabaseLocked):
        correct(participant)
    other = make_participant(study=make_study())
    erase_identity(participant=other, actor=SYSTEM)
    with pytest.raises(IdentityErased):
        correct(other)
    assert identity_of(participant)["contact"] == "ada@example.org"
