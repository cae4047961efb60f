"""A form that comes twice: a double click, a second tab, or going back and sending again."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from studies import clock
from studies.models.deviation import Deviation
from studies.models.participant import Participant
from studies.models.safety import AdverseEvent
from studies.models.study import Study
from studies.models.unblinding import Unblinding
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, short_plan

pytestmark = pytest.mark.django_db

KEY = re.compile(r'name="form_key" value="([0-9a-f-]{36})"')
INVITED = {
    "name": "Ada Example",
    "contact": "ada@example.org",
    "age_years": "15",
    "language": "en",
    "sex": "female",
}
EVENT = {"words": "Fell", "severity": "mild", "relation": "none"}


@pytest.fixture
def study() -> Study:
    return make_study(protocol=short_plan())


def key_on(desk: Client, address: str) -> str:
    return KEY.search(desk.get(address).content.decode()).group(1)


def test_an_invitation_that_comes_twice_invites_one_person(study: Study) -> None:
    desk, address = clinician_in(study), reverse("studies:invite", args=[study.code])
    key = key_on(desk, address)
    too_young = desk.post(address, INVITED | {"age_years": "9", "form_key": key})
    assert "expected, got 9" in too_young.content.decode()
    # What was refused is corrected on the same page, and counts then.
    assert key in too_young.content.decode()
    desk.post(address, INVITED | {"form_key": key})
    again = desk.post(address, INVITED | {"form_key": key}, follow=True).content.decode()
    assert "This was sent already" in again
    assert Participant.objects.count() == 1
    desk.post(address, INVITED | {"form_key": key_on(desk, address)})
    assert Participant.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "told", "kept"),
    [
        ("event_new", EVENT, AdverseEvent),
        ("deviation_new", {"words": "called twice"}, Deviation),
        ("report_unblinding", {"reason": "a slip", "impact": "one nurse knows"}, Unblinding),
    ],
)
def test_what_is_reported_twice_by_one_form_is_there_once(
    study: Study, name: str, told: dict[str, str], kept: type
) -> None:
    participant = make_participant("allocated", study=study)
    desk = clinician_in(study)
    address = reverse(f"studies:{name}", args=[study.code, participant.code])
    today = clock.today(participant.zone).isoformat()
    sent = told | {"began_on": today, "happened_on": today, "form_key": key_on(desk, address)}
    desk.post(address, sent)
    assert "This was sent already" in desk.post(address, sent, follow=True).content.decode()
    assert kept.objects.count() == 1
