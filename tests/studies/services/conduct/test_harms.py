"""Harms are asked about at each visit after baseline, once, and a yes leads to an event."""

from datetime import timedelta

import pytest
from django.urls import reverse

from studies import clock
from studies.exceptions import HarmsRefused
from studies.models.audit import AuditEntry
from studies.models.harms import HarmsInquiry
from studies.models.participant import Participant
from studies.services.conduct.harms import record_harms_inquiry, visits_to_ask
from studies.services.trail.audit import staff
from tests.factories import clinician_of, make_participant, make_study
from tests.studies.views.browsers import clinician_in, short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def participant() -> Participant:
    return make_participant("week4", study=make_study(protocol=short_plan()))


def test_harms_are_asked_about_once_at_each_visit_that_has_opened(
    participant: Participant,
) -> None:
    actor = staff(clinician_of(participant.study))
    baseline, week4, week8 = participant.visits.order_by("week")
    assert visits_to_ask(participant) == [week4]
    record_harms_inquiry(visit=week4, was_untoward=False, actor=actor)
    entry = AuditEntry.objects.get(action="ask_about_harms")
    assert entry.new == {"week": 4, "was_untoward": False}
    for visit, got in ((baseline, "baseline"), (week4, "has its answer"), (week8, "to come")):
        with pytest.raises(HarmsRefused, match=got):
            record_harms_inquiry(visit=visit, was_untoward=True, actor=actor)
    assert visits_to_ask(participant) == []
    with clock.at(week8.opens_at + timedelta(hours=1)):
        assert visits_to_ask(participant) == [week8]


def test_a_yes_on_the_page_leads_to_the_event(participant: Participant) -> None:
    desk, where = clinician_in(participant.study), [participant.study.code, participant.code]
    address = reverse("studies:harms", args=where)
    assert address in desk.get(reverse("studies:participant", args=where)).content.decode()
    assert "Since we last spoke" in desk.get(address).content.decode()
    assert desk.post(address, {}).status_code == 200
    answer = desk.post(address, {"was_untoward": "yes"})
    assert answer.url == reverse("studies:event_new", args=where)
    assert HarmsInquiry.objects.get().was_untoward
    # Asked already: a second press changes nothing.
    assert desk.post(address, {"was_untoward": "no"}).status_code == 200
    assert HarmsInquiry.objects.get().was_untoward
    assert address not in desk.get(reverse("studies:participant", args=where)).content.decode()
