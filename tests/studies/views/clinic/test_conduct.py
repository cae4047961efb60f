"""Safety inbox, adverse events, deviations and queries, as staff of each role meet them."""

import pytest
from django.urls import reverse

from studies import clock
from studies.models.audit import AuditEntry
from studies.models.deviation import Deviation
from studies.models.query import DataQuery
from studies.models.safety import ActionItem, AdverseEvent
from studies.models.study import Role
from studies.models.visit import Assessment
from studies.services.conduct.events import Account, report_event
from studies.services.conduct.items import say_not_ok
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, phone_of, short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_study(protocol=short_plan())


def _event(participant):
    account = Account(clock.today(participant.zone), "Fell", "mild", "none", criteria=("hospital",))
    return report_event(
        participant=participant, account=account, user=clinician_of(participant.study)
    )


def test_a_participant_who_is_not_ok_finds_help_and_reaches_the_inbox(study, settings):
    settings.NOCTURNE_HELP_LINE = "116 111"
    participant = make_participant("consented", study=study)
    phone, desk = phone_of(participant), clinician_in(study)
    page = phone.get("/me/not-ok/").content.decode()
    assert "116 111" in page
    assert "Nobody reads it at night" in page
    for _ in range(2):
        response = phone.post("/me/not-ok/", {"words": "so <b>tired</b>"}, follow=True)
    assert "We will see it" in response.content.decode()
    item = ActionItem.objects.get()
    inbox = desk.get(reverse("studies:safety", args=[study.code])).content.decode()
    assert "Says: I am not OK" in inbox
    assert participant.code in inbox
    address = reverse("studies:item", args=[study.code, item.pk])
    assert "so &lt;b&gt;tired&lt;/b&gt;" in desk.get(address).content.decode()
    assert AuditEntry.objects.filter(action="read_item").count() == 1
    desk.post(address, {"seen": "yes"})
    item.refresh_from_db()
    assert item.state == "acknowledged"
    desk.post(address, {"words": ""})
    item.refresh_from_db()
    assert item.state == "acknowledged"
    desk.post(address, {"words": "Called"})
    item.refresh_from_db()
    assert item.state == "done"


def test_two_people_at_once_do_an_item_once(study):
    item = say_not_ok(participant=make_participant("consented", study=study))
    address = reverse("studies:item", args=[study.code, item.pk])
    one, other = clinician_in(study), desk_of(make_staff(Role.COORDINATOR, study=study))
    one.post(address, {"words": "Called"})
    page = other.post(address, {"words": "Called too"}, follow=True).content.decode()
    assert "Somebody was here before you" in page
    item.refresh_from_db()
    assert item.note == "Called"


def test_an_event_goes_from_report_to_close_by_pages(study):
    participant = make_participant("consented", study=study)
    one, other = clinician_in(study), desk_of(make_staff(Role.COORDINATOR, study=study))
    today = str(clock.today(participant.zone))
    address = reverse("studies:event_new", args=[study.code, participant.code])
    assert "There is a problem" in one.post(address, {"words": ""}).content.decode()
    told = {"began_on": today, "words": "Fell", "severity": "mild", "relation": "none"}
    assert one.post(address, {**told, "began_on": "2999-01-01"}).status_code == 200
    one.post(address, {**told, "criteria": ["hospital"]})
    event = AdverseEvent.objects.get()
    page = reverse("studies:event", args=[study.code, event.pk])
    one.post(page, {"step": "triage", "criteria": ["hospital"], "words": "Serious"})
    one.post(page, {"step": "follow", "words": "Goes on"})
    assert "Enter a date" in one.post(page, {"step": "resolve", "words": "Over"}).content.decode()
    one.post(page, {"step": "resolve", "ended_on": today, "words": "Over"})
    same = one.post(page, {"step": "close", "words": "Closed"}).content.decode()
    assert "closed by somebody else" in same
    still = other.post(page, {"step": "close", "words": "Closed"}).content.decode()
    assert "what is still to be done" in still
    serious = event.items.get(kind="serious")
    one.post(reverse("studies:item", args=[study.code, serious.pk]), {"words": "Reported on"})
    other.post(page, {"step": "close", "words": "Closed"})
    event.refresh_from_db()
    assert event.state == "closed"
    assert "Not serious" not in other.get(page).content.decode()


def test_a_deviation_is_noted_looked_into_and_stays(study):
    participant = make_participant("consented", study=study)
    desk = clinician_in(study)
    today = str(clock.today(participant.zone))
    address = reverse("studies:deviation_new", args=[study.code, participant.code])
    desk.post(address, {"happened_on": today, "words": "Wrong phone"})
    deviation = Deviation.objects.get()
    listing = desk.get(reverse("studies:deviations", args=[study.code])).content.decode()
    assert "Noted by hand" in listing
    page = reverse("studies:deviation", args=[study.code, deviation.pk])
    desk.post(page, {"impact": "minor", "measures": "Told again"})
    desk.post(page, {"impact": "major", "measures": "Changed my mind"})
    deviation.refresh_from_db()
    assert (deviation.state, deviation.impact) == ("assessed", "minor")


def test_what_only_one_arm_can_have_is_hidden_while_the_study_is_blinded(study):
    participant = make_participant("consented", study=study)
    Deviation.objects.create(
        participant=participant,
        kind="late_titration",
        key="x",
        happened_at=clock.now(),
        noted_at=clock.now(),
    )
    desk = clinician_in(study)
    page = desk.get(reverse("studies:deviations", args=[study.code])).content.decode()
    assert "Sleep window" not in page
    hidden = reverse("studies:deviation", args=[study.code, Deviation.objects.get().pk])
    assert desk.get(hidden).status_code == 404


def test_a_monitor_asks_a_clinician_answers_and_the_monitor_closes(study):
    participant = make_participant("baseline_done", study=study)
    monitor, clinician = desk_of(make_staff(Role.MONITOR, study=study)), clinician_in(study)
    sheet = Assessment.objects.get(visit__week=0)
    ask = reverse("studies:ask", args=[study.code, participant.code])
    question = {"answer": f"{sheet.pk}:item_3", "question": "Is that right?"}
    monitor.post(ask, question)
    assert "There is an open query" in monitor.post(ask, question).content.decode()
    assert "There is a problem" in monitor.post(ask, {"answer": "999:item_3"}).content.decode()
    query = DataQuery.objects.get()
    page = reverse("studies:query", args=[study.code, query.pk])
    assert "Answer it" not in monitor.get(page).content.decode()
    monitor.post(page, {"step": "answer", "words": "Not mine to answer"})
    query.refresh_from_db()
    assert query.state == "open"
    clinician.post(page, {"step": "answer", "words": "As on paper"})
    monitor.post(page, {"step": "close", "words": "Settled"})
    query.refresh_from_db()
    assert query.state == "closed"
    assert (
        "Is that right?"
        in monitor.get(reverse("studies:queries", args=[study.code])).content.decode()
    )


@pytest.mark.parametrize("role", Role.values)
def test_rows_of_conduct_are_found_by_their_roles_and_in_their_study_only(role, study):
    participant = make_participant("baseline_done", study=study)
    item, event = say_not_ok(participant=participant), _event(participant)
    member = desk_of(make_staff(role, study=study))
    stranger = desk_of(make_staff(role, study=make_study(protocol=short_plan())))
    may = role in {"principal_investigator", "coordinator"}
    for name, row in (("item", item), ("event", event)):
        address = reverse(f"studies:{name}", args=[study.code, row.pk])
        assert (member.get(address).status_code == 200) is may
        assert stranger.get(address).status_code == 404
        other = study.code if not may else make_study(protocol=short_plan()).code
        foreign = reverse(f"studies:{name}", args=[other, row.pk])
        assert member.get(foreign).status_code == 404
