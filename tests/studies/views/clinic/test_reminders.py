"""The page that says why a reminder went out or did not."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from studies import clock
from studies.services.conduct.reminders import choose_reminders, send_due_reminders
from studies.services.trail.audit import SYSTEM
from studies.services.visits.scheduling import keep_calendar
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, short_plan

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
