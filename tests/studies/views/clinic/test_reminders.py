"""The page that says why a reminder went out or did not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from studies import clock
from studies.models.access import PrivateLink
from studies.models.consent import CopyMail, CopyMailState
from studies.models.study import Role, Study
from studies.services.conduct.reminders import choose_reminders, send_due_reminders
from studies.services.entry.copy_mail import UNREACHED
from studies.services.trail.audit import SYSTEM
from studies.services.visits.scheduling import keep_calendar
from tests.factories import make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, short_plan

pytestmark = pytest.mark.django_db
ALLOCATED_AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def test_the_page_says_what_went_out_what_waits_and_why():
    with clock.at(ALLOCATED_AT):
        study = make_study(protocol=short_plan())
        participant = make_participant("allocated", study=study)
    address = reverse("studies:reminders", args=[study.code, participant.code])
    with clock.at(ALLOCATED_AT + timedelta(weeks=4)):
        keep_calendar()
        send_due_reminders()
        desk = clinician_in(study)
        page = desk.get(address).content.decode()
        assert "Sent 30 Mar 2026, 12:00" in page
        assert "To come, if something waits then" in page
        choose_reminders(participant=participant, is_stopped=True, actor=SYSTEM)
        page = desk.get(address).content.decode()
        assert "This participant wants no reminders" in page
        for word in ("lesson", "CBT", "ada@example.org"):
            assert word not in page


def test_synthetic_people_are_spoken_of_as_what_they_are():
    with clock.at(ALLOCATED_AT):
        participant = make_participant("allocated", study=make_study(protocol=short_plan()))
        study = participant.study
        PrivateLink.objects.filter(participant=participant).update(pin_hash="")
    person = reverse("studies:participant", args=[study.code, participant.code])
    said = {
        person: ("synthetic people need none", "Waiting for a PIN until"),
        f"{person}reminders/": ("only played through", "nothing was sent while its days lasted"),
    }
    with clock.at(ALLOCATED_AT + timedelta(weeks=6)):
        desk = clinician_in(study)
        for is_synthetic in (True, False):
            Study.objects.filter(pk=study.pk).update(is_synthetic=is_synthetic)
            for address, words in said.items():
                page = desk.get(address).content.decode()
                assert [word in page for word in words] == [is_synthetic, not is_synthetic]


def test_a_copy_that_did_not_arrive_is_on_the_worklist_until_staff_settle_it():
    participant = make_participant("consented")
    study = participant.study
    CopyMail.objects.update(state=CopyMailState.SENT, sent_at=clock.now())
    desk = clinician_in(study)
    worklist, page = (
        reverse("studies:study", args=[study.code]),
        reverse("studies:reminders", args=[study.code, participant.code]),
    )
    assert "Signed copy did not arrive" not in desk.get(worklist).content.decode()
    row = CopyMail.objects.filter(consent__participant=participant).first()
    CopyMail.objects.filter(pk=row.pk).update(state=CopyMailState.DROPPED, reason=UNREACHED)
    shown = desk.get(worklist).content.decode()
    assert "Signed copy did not arrive" in shown
    assert page in shown
    told = desk.get(page).content.decode()
    assert "the mail server did not take it" in told
    assert "example.org" not in told
    address = reverse("studies:settle_copy", args=[study.code, participant.code, row.pk])
    assessor = desk_of(make_staff(Role.ASSESSOR, study=study))
    assert address not in assessor.get(page).content.decode()
    assert assessor.post(address).status_code == 404
    elsewhere = make_participant("consented", study=study)
    other = reverse("studies:settle_copy", args=[study.code, elsewhere.code, row.pk])
    assert desk.post(other).status_code == 404
    told = desk.post(address, follow=True).content.decode()
    assert "Goes out with the next round" in told
    assert "This copy goes its way already" in desk.post(address, follow=True).content.decode()
    with clock.at(clock.now() + timedelta(days=2)):
        assert "Signed copy did not arrive" in desk.get(worklist).content.decode()
        assert "Handed over" in desk.post(address, {"handed": "1"}, follow=True).content.decode()
        CopyMail.objects.exclude(pk=row.pk).update(state=CopyMailState.SENT)
        assert "Signed copy did not arrive" not in desk.get(worklist).content.decode()
