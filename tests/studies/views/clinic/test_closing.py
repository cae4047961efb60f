"""Locks, signatures, the emergency unblinding and the end of a study, page by page."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from studies import clock
from studies.models.lock import Lock
from studies.models.participant import Participant
from studies.models.retention import ContactRetention
from studies.models.signature import Signature
from studies.models.study import Role, Study, StudyState
from studies.models.unblinding import Unblinding
from studies.models.user import User
from studies.models.visit import Assessment
from studies.services.allocation import arm_of
from studies.services.closing.locks import lock_database, lock_visit
from studies.services.closing.unblinding import report_unblinding
from studies.services.conduct.events import Account, report_event
from studies.services.conduct.items import say_not_ok
from studies.services.entry.identity import has_identity
from studies.services.protocol.setup import close_study
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import PASSWORD, clinician_of, make_participant, make_staff, make_study
from tests.studies.services.closing.test_locks import correct, sheet
from tests.studies.services.ending import STAYS_OPEN
from tests.studies.views.browsers import clinician_in, desk_of, phone_of, researcher_in, short_plan
from tests.studies.views.test_blinding import ARM_WORDS
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db

WHY = {"reason": "admitted with a rash", "impact": "the ward will know"}


@pytest.fixture
def participant() -> Participant:
    return make_participant("week4", study=make_study(protocol=short_plan()))


@pytest.fixture
def desk(participant: Participant) -> Client:
    return clinician_in(participant.study)


def address(name: str, participant: Participant, *more: object) -> str:
    return reverse(f"studies:{name}", args=[participant.study.code, participant.code, *more])


def proof(participant: Participant) -> dict[str, str]:
    """Return what proves that the principal investigator sits there, unused so far."""
    return {"password": PASSWORD, "code": current_code(clinician_of(participant.study))}


def shown_hash(desk: Client, participant: Participant) -> str:
    page = desk.get(address("sign", participant)).content.decode()
    return re.search(r'name="content_sha256" value="([0-9a-f]{64})"', page).group(1)


def test_signing_asks_for_password_and_second_factor_each_time(
    desk: Client, participant: Participant
) -> None:
    content = {"meaning": "correct", "content_sha256": shown_hash(desk, participant)}
    page = address("sign", participant)
    for wrong in ({}, {"password": PASSWORD}, {"password": PASSWORD, "code": "000000"}):
        assert desk.post(page, {**content, **wrong}).status_code == 200
    assert not Signature.objects.exists()
    right = proof(participant)
    assert desk.post(page, {**content, **right}).status_code == 302
    assert desk.post(page, {**content, **right}).status_code == 200
    assert Signature.objects.count() == 1
    assert "Holds" in desk.get(page).content.decode()


def test_a_wrong_password_costs_no_code(desk: Client, participant: Participant) -> None:
    content = {"meaning": "correct", "content_sha256": shown_hash(desk, participant)}
    right = proof(participant)
    page = address("sign", participant)
    assert desk.post(page, {**content, **right, "password": "no"}).status_code == 200
    assert desk.post(page, {**content, **right}).status_code == 302


def test_what_changed_since_the_page_was_opened_is_not_signed(
    desk: Client, participant: Participant
) -> None:
    content = {"meaning": "correct", "content_sha256": shown_hash(desk, participant)}
    correct(sheet(participant), staff(clinician_of(participant.study)))
    desk.post(address("sign", participant), {**content, **proof(participant)})
    assert not Signature.objects.exists()


def test_a_broken_signature_says_so(desk: Client, participant: Participant) -> None:
    content = {"meaning": "correct", "content_sha256": shown_hash(desk, participant)}
    desk.post(address("sign", participant), {**content, **proof(participant)})
    correct(sheet(participant), staff(clinician_of(participant.study)))
    assert (
        "Broken: the data changed since" in desk.get(address("sign", participant)).content.decode()
    )


def test_too_many_tries_are_refused(desk: Client, participant: Participant) -> None:
    content = {"meaning": "correct", "content_sha256": shown_hash(desk, participant)}
    tries = [
        desk.post(address("sign", participant), {**content, "password": "no", "code": "1"})
        for _ in range(12)
    ]
    assert tries[-1].status_code == 429


def test_a_lock_is_set_asked_for_and_opened_by_a_second_person(
    desk: Client, participant: Participant
) -> None:
    visit = participant.visits.get(week=4)
    page = address("locks", participant)
    desk.post(page, {"target": f"visit:{visit.pk}"})
    lock = Lock.objects.get()
    assert (lock.level, lock.state) == ("visit", "locked")
    opening = address("unlock", participant, lock.pk)
    desk.post(opening, {"reason": "a digit was misread"})
    desk.post(opening, {"agree": "1"})
    lock.refresh_from_db()
    assert lock.state == "unlock_asked"
    second = desk_of(make_staff("coordinator", study=participant.study))
    assert "a digit was misread" in second.get(opening).content.decode()
    second.post(opening, {"agree": "1"})
    lock.refresh_from_db()
    assert lock.state == "unlocked"
    assert second.get(opening).status_code == 404


def test_a_lock_that_is_not_opened_stays(desk: Client, participant: Participant) -> None:
    lock = lock_visit(visit=participant.visits.get(week=4), actor=SYSTEM)
    opening = address("unlock", participant, lock.pk)
    assert desk.post(opening, {"reason": " "}).status_code == 200
    desk.post(opening, {"reason": "misread"})
    desk.post(opening, {"keep": "1"})
    lock.refresh_from_db()
    assert lock.state == "locked"


@pytest.mark.parametrize("target", ["", "visit:x", "study:1", "form:999999", "participant:0"])
def test_a_target_of_somebody_else_or_of_nobody_locks_nothing(
    target: str, desk: Client, participant: Participant
) -> None:
    desk.post(address("locks", participant), {"target": target})
    other = make_participant("week4", study=make_study(protocol=short_plan()))
    foreign = Assessment.objects.filter(visit__participant=other).first()
    desk.post(address("locks", participant), {"target": f"form:{foreign.pk}"})
    assert not Lock.objects.exists()


def test_a_lock_of_somebody_else_is_not_there(desk: Client, participant: Participant) -> None:
    other = make_participant("week4", study=participant.study)
    lock = lock_visit(visit=other.visits.get(week=4), actor=SYSTEM)
    assert desk.get(address("unlock", participant, lock.pk)).status_code == 404
    assert desk.get(address("unlock", other, lock.pk)).status_code == 200


def test_an_emergency_shows_one_arm_once_and_only_after_the_proof(
    desk: Client, participant: Participant
) -> None:
    page = address("break_blind", participant)
    arm = arm_of(participant).code
    assert ARM_WORDS.findall(desk.get(page).content.decode()) == []
    refused = desk.post(page, {**WHY, "password": PASSWORD, "code": "000000"}).content.decode()
    assert ARM_WORDS.findall(refused) == []
    assert not Unblinding.objects.exists()
    told = desk.post(page, {**WHY, **proof(participant)})
    page_of_the_arm = told.content.decode()
    assert arm in page_of_the_arm
    assert ARM_WORDS.findall(page_of_the_arm.replace(arm, "")) == []
    assert "no-store" in told["Cache-Control"]
    assert Unblinding.objects.count() == 1
    for again in (page, address("participant", participant)):
        assert ARM_WORDS.findall(desk.get(again).content.decode()) == []


def test_an_accident_is_reported_and_seen_by_whoever_closes_the_study(
    desk: Client, participant: Participant
) -> None:
    assert desk.post(address("report_unblinding", participant), WHY).status_code == 302
    page = desk.get(reverse("studies:database", args=[participant.study.code])).content.decode()
    assert participant.code in page
    assert "By accident" in page
    assert ARM_WORDS.findall(page) == []


def test_a_study_is_locked_dated_for_erasure_and_opened_again_by_two(
    desk: Client, participant: Participant
) -> None:
    study = participant.study
    page = reverse("studies:database", args=[study.code])
    desk.post(page)
    assert _state(study) == StudyState.OPEN
    erasure = reverse("studies:erasure", args=[study.code])
    assert desk.post(erasure, {"erase_on": "2100-01-01"}).status_code == 200
    close_study(study=study, actor=SYSTEM, reason="over")
    desk.post(page)
    assert _state(study) == StudyState.LOCKED
    assert desk.post(erasure, {"erase_on": "2100-01-01"}).status_code == 302
    assert ContactRetention.objects.get().erase_on.year == 2100
    opening = reverse("studies:unlock_database", args=[study.code, Lock.objects.get().pk])
    desk.post(opening, {"reason": "a late form"})
    desk.post(opening, {"agree": "1"})
    assert _state(study) == StudyState.LOCKED
    researcher_in(study).post(opening, {"agree": "1"})
    assert _state(study) == StudyState.CLOSED


def _state(study: Study) -> str:
    study.refresh_from_db()
    return study.state


def test_only_what_is_done_with_is_offered_to_be_locked() -> None:
    someone = make_participant("allocated")
    address = reverse("studies:locks", args=[someone.study.code, someone.code])
    page = clinician_in(someone.study).get(address).content.decode()
    # Baseline and its two questionnaires; the later visits and the whole are still to come.
    assert page.count('name="target"') == 3
    assert page.count("Still to come") == 7


def test_pages_that_change_data_are_closed_with_the_database(participant: Participant) -> None:
    study, phone = participant.study, phone_of(participant)
    desk, monitor = clinician_in(study), desk_of(make_staff(Role.MONITOR, study=study))
    page = address("participant", participant)
    event = report_event(
        participant=participant,
        account=Account(clock.today(participant.zone), "Fell", "mild", "none"),
        user=clinician_of(study),
    )
    close_study(study=study, actor=SYSTEM, reason="all done")
    lock_database(study=study, actor=SYSTEM, reasons=STAYS_OPEN)
    for name in ("withdraw", "event_new", "deviation_new", "harms"):
        response = desk.get(address(name, participant))
        assert response.status_code == 409
        assert "The database is locked" in response.content.decode()
        assert address(name, participant) not in desk.get(page).content.decode()
    assert monitor.get(address("ask", participant)).status_code == 409
    told = desk.post(reverse("studies:event", args=[study.code, event.pk]), {"step": "triage"})
    assert told.status_code == 409
    own = phone.post("/me/stop/", {"scope": "data", "reason": "", "confirmed": "yes"})
    assert "The study has ended" in own.content.decode()
    assert not participant.withdrawals.exists()


def test_who_may_withdraw_erases_one_contact_after_the_lock(
    desk: Client, participant: Participant
) -> None:
    page, person = address("erase_contact", participant), address("participant", participant)
    typed = {"code": participant.code}
    assert page not in desk.get(person).content.decode()
    assert "record a withdrawal instead" in desk.post(page, typed).content.decode()
    close_study(study=participant.study, actor=SYSTEM, reason="all done")
    lock_database(study=participant.study, actor=SYSTEM)
    assert page in desk.get(person).content.decode()
    assert desk_of(make_staff(Role.MONITOR, study=participant.study)).get(page).status_code == 404
    assert desk.post(page, {"code": "NQ-0000-0"}).status_code == 200
    assert has_identity(participant)
    assert "Name and contact erased" in desk.post(page, typed, follow=True).content.decode()
    assert not has_identity(participant)
    assert page not in desk.get(person).content.decode()
    shown = desk.post(address("reveal", participant), {"reason": "call"}).content.decode()
    assert "They cannot be brought back." in shown


def test_the_page_names_what_is_open_and_locks_for_a_reason_only(
    desk: Client, participant: Participant
) -> None:
    study = participant.study
    close_study(study=study, actor=SYSTEM, reason="all done")
    page = reverse("studies:database", args=[study.code])
    item = say_not_ok(participant=participant, words="tired")
    shown = desk.get(page).content.decode()
    assert "Safety items not done" in shown
    assert participant.code in shown
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', shown).group(1)
    unsaid = desk.post(page, {"seen": seen}).content.decode()
    assert "Safety items not done: enter a reason" in unsaid
    typed = {"seen": seen, "reason_item": "the clinic follows it"}
    stale = desk.post(page, {**typed, "seen": "0" * 64}, follow=True).content.decode()
    assert "Look again" in stale
    assert not Lock.objects.exists()
    after = desk.post(page, typed, follow=True).content.decode()
    assert "The database is locked." in after
    assert "What was open then" in after
    assert "the clinic follows it" in after
    assert item.state == "new"


def test_a_notice_that_did_not_go_out_waits_for_staff_who_send_it_again(
    desk: Client, participant: Participant
) -> None:
    study = participant.study
    row = report_unblinding(participant=participant, actor=SYSTEM, **WHY)
    front = reverse("studies:study", args=[study.code])
    listing = reverse("studies:unblindings", args=[study.code])
    again = reverse("studies:unblinding_notice", args=[study.code, row.pk])
    assert listing in desk.get(front).content.decode()
    assessor = desk_of(make_staff(Role.ASSESSOR, study=study))
    assert listing not in assessor.get(front).content.decode()
    assert {assessor.get(listing).status_code, assessor.post(again).status_code} == {404}
    shown = desk.get(listing).content.decode()
    assert "Did not go out" in shown
    assert ARM_WORDS.findall(shown) == []
    refused = desk.post(again, follow=True).content.decode()
    assert "no principal investigator has an email address" in refused
    User.objects.filter(pk=clinician_of(study).pk).update(email="pi@example.org")
    assert "Sent to the principal" in desk.post(again, follow=True).content.decode()
    assert [message.to for message in mail.outbox] == [["pi@example.org"]]
    assert listing not in desk.get(front).content.decode()
    other = clinician_in(make_study(protocol=short_plan()))
    assert other.post(again).status_code == 404
