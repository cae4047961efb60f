from datetime import UTC, date, datetime

import pytest

from studies import clock
from studies.design.windows import start_of_day
from studies.models.access import PrivateLink
from studies.models.audit import AuditEntry
from studies.models.participant import Participant, ParticipantState
from studies.models.visit import Visit
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, short_plan

pytestmark = pytest.mark.django_db


def person(at: str) -> Participant:
    return make_participant(at, study=make_study(protocol=short_plan()))


def page_of(participant) -> str:
    return f"/clinic/{participant.study.code}/p/{participant.code}/"


def test_the_page_shows_visits_and_what_happened_and_no_name():
    participant = person("consented")
    page = clinician_in(participant.study).get(page_of(participant)).content.decode()
    assert "Consent or assent given" in page
    assert "CPSS: Open" in page
    assert "Ada Example" not in page


def test_allocating_is_offered_when_baseline_is_complete_and_counts_once():
    participant = person("baseline_done")
    client = clinician_in(participant.study)
    address = f"{page_of(participant)}allocate/"
    assert address in client.get(page_of(participant)).content.decode()
    first = client.post(address, follow=True).content.decode()
    second = client.post(address, follow=True).content.decode()
    assert "Allocated. Music or lessons begin tonight." in first
    assert "Already allocated. Nothing was changed." in second
    participant.refresh_from_db()
    assert participant.state == ParticipantState.ALLOCATED
    assert AuditEntry.objects.filter(action="allocate").count() == 1


def test_allocating_too_early_tells_the_reason():
    participant = person("consented")
    client = clinician_in(participant.study)
    assert "allocate/" not in client.get(page_of(participant)).content.decode()
    page = client.post(f"{page_of(participant)}allocate/", follow=True).content.decode()
    assert "Not allocated: baseline is not complete" in page


def test_a_new_link_is_shown_once_and_ends_the_old_one():
    participant = person("consented")
    client = clinician_in(participant.study)
    page = client.post(f"{page_of(participant)}link/", follow=True).content.decode()
    assert page.count('id="private-link"') == 1
    assert participant.url_token not in page
    live = PrivateLink.objects.filter(
        participant=participant, holder="participant", revoked_at=None
    )
    assert live.count() == 1


def test_a_link_is_closed_on_every_device():
    participant = person("consented")
    client = clinician_in(participant.study)
    page = client.post(f"{page_of(participant)}revoke/", follow=True).content.decode()
    assert "No link is open." in page
    assert not PrivateLink.objects.filter(
        participant=participant, holder="participant", revoked_at=None
    ).exists()


def test_a_name_is_shown_for_a_reason_that_the_trail_keeps():
    participant = make_participant()
    client = clinician_in(participant.study)
    address = f"{page_of(participant)}contact/"
    assert "Ada Example" not in client.get(address).content.decode()
    assert "Ada Example" not in client.post(address, {"reason": ""}).content.decode()
    page = client.post(address, {"reason": "a call was asked for"}).content.decode()
    assert "Ada Example" in page
    assert AuditEntry.objects.get(action="reveal_contact").reason == "a call was asked for"


def test_a_withdrawal_is_recorded_as_wide_as_it_was_asked_for():
    participant = person("allocated")
    client = clinician_in(participant.study)
    address = f"{page_of(participant)}withdraw/"
    assert "Choose what stops" in client.post(address, {}).content.decode()
    answer = {"scope": "contact", "reason": ""}
    asked_again = client.post(address, answer).content.decode()
    assert "It happens at once and cannot be taken back." in asked_again
    participant.refresh_from_db()
    assert participant.state == ParticipantState.ALLOCATED
    assert client.post(address, answer | {"confirmed": "yes"}).url == page_of(participant)
    participant.refresh_from_db()
    assert participant.state == ParticipantState.WITHDRAWN
    # Whoever stopped may still take the answers back.
    assert address in client.get(page_of(participant)).content.decode()


def test_a_contact_that_was_erased_is_not_offered_any_more():
    participant = person("consented")
    client = clinician_in(participant.study)
    contact = f'href="{page_of(participant)}contact/"'
    assert contact in client.get(page_of(participant)).content.decode()
    erasing = {"scope": "data", "reason": "", "confirmed": "yes"}
    page = client.post(f"{page_of(participant)}withdraw/", erasing, follow=True).content.decode()
    assert "Withdrawn as asked." in page
    assert contact not in page
    assert f"{page_of(participant)}withdraw/" not in page


def test_staff_read_the_days_that_the_participant_reads():
    with clock.at(datetime(2026, 11, 21, 23, 30, tzinfo=UTC)):
        participant = make_participant("allocated", study=make_study(protocol=short_plan()))
        Participant.objects.filter(pk=participant.pk).update(zone="Asia/Shanghai")
        Visit.objects.filter(participant=participant, week=4).update(
            opens_at=start_of_day(date(2026, 12, 15), "Asia/Shanghai"),
            closes_at=start_of_day(date(2026, 12, 26), "Asia/Shanghai"),
        )
        page = clinician_in(participant.study).get(page_of(participant)).content.decode()
    assert "<td>15 Dec 2026</td>" in page
    assert "<td>25 Dec 2026</td>" in page
    assert "22 Nov 2026, 07:30" in page


def test_nothing_is_allocated_in_a_study_that_is_not_open():
    participant = person("baseline_done")
    study = participant.study
    client = clinician_in(study)
    client.post(f"/clinic/{study.code}/close/", {"code": study.code, "reason": "all done"})
    page = client.post(f"{page_of(participant)}allocate/", follow=True).content.decode()
    assert "Not allocated: the study is not open." in page


def test_nobody_is_called_ready_whose_contact_is_not_verified():
    participant = make_participant("baseline_done")
    client = clinician_in(participant.study)
    assert "Ready to be allocated" in client.get(page_of(participant)).content.decode()
    Participant.objects.filter(pk=participant.pk).update(contact_verified_at=None)
    page = client.get(page_of(participant)).content.decode()
    assert "Ready to be allocated" not in page
    assert "The contact is not verified yet." in page
