"""A1: every table of trial data has an entry for each row, or says which one stands for it."""

from datetime import date, timedelta

import pytest
from django.apps import apps

from studies import clock
from studies.models.audit import AuditEntry
from studies.models.participant import Participant
from studies.models.study import Role
from studies.models.visit import Assessment
from studies.services.allocation import import_list
from studies.services.closing.contacts import set_erasure_day
from studies.services.closing.interim import take_look
from studies.services.closing.locks import lock_visit
from studies.services.closing.signing import sign_casebook
from studies.services.conduct.deviations import note_deviation
from studies.services.conduct.events import Account, report_event
from studies.services.conduct.harms import record_harms_inquiry
from studies.services.conduct.items import say_not_ok
from studies.services.conduct.queries import ask_about
from studies.services.conduct.reminders import choose_reminders, send_due_reminders
from studies.services.entry.approvals import approve_site
from studies.services.protocol.members import add_site
from studies.services.protocol.setup import close_study
from studies.services.protocol.versions import submit_version
from studies.services.trail.audit import SYSTEM, record, staff
from studies.services.trail.reviews import sign_review
from studies.services.visits.scheduling import keep_calendar
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.services.test_allocation_methods import LIST_PLAN, SLOTS, _csv

pytestmark = pytest.mark.django_db

# Tables whose rows have an entry of their own, by the kind of subject it names.
NAMED = {
    "studies.analysisplanversion", "studies.analysisrun", "studies.exportrun",
    "studies.study", "studies.site", "studies.membership", "studies.protocolversion",
    "studies.consenttext", "studies.consent", "studies.guardian",
    "studies.screening", "studies.contactcode",
    "studies.participant", "studies.privatelink",
    "studies.musicpreference", "studies.visit", "studies.playlistassignment",
    "studies.listeningsession", "studies.lessonprogress", "studies.diaryentry",
    "studies.courseversion", "studies.courserequest",
    "studies.exerciseanswer", "studies.lessonsitting",
    "studies.message", "studies.sleepwindow", "studies.windowscreening",
    "studies.lock", "studies.lockexception", "studies.signature", "studies.contactretention",
    "studies.auditreview",
    "studies.interimlook", "studies.harmsinquiry", "studies.siteapproval",
    "studies.nightrating", "studies.poolmix",
    "studies.adverseevent", "studies.actionitem", "studies.dataquery", "studies.deviation",
    "studies.reminder", "studies.reminderchoice",
}  # fmt: skip
# Tables for which the entry of another row stands, and which.
COVERED_BY_ANOTHER = {
    "studies.user": "accounts are the site's, not a study's",
    "studies.auditentry": "is the trail",
    "studies.audithead": "is the trail",
    "studies.copymail": "planned with a consent, whose entry has the SHA-256; its end has one",
    "studies.arm": "follows the protocol's version, whose entry has the hash",
    "studies.allocationstream": "made at the opening or import, whose entry has the commitments",
    "studies.allocation": "the participant's entry has stratum and slot, and must not tell the arm",
    "studies.assessment": "planned with a visit, whose entry has the instruments",
    "studies.paperform": "the assessment's entry has its day, and who entered it",
    "studies.contactdetails": "made with the participant; the trail holds no identity",
    "studies.personkey": "made with the participant, whose entries say when it was destroyed",
    "studies.withdrawal": "the participant's entry has the scope",
    "studies.unblinding": "the participant's entry has the kind, and must not tell more",
    "studies.eventnote": "the event's entry has the move and the SHA-256 of the words",
    "studies.querynote": "the query's entry has the move and the SHA-256 of the words",
}


def _tables() -> set[str]:
    return {model._meta.label_lower for model in apps.get_app_config("studies").get_models()}


def test_every_table_says_what_its_entries_are() -> None:
    """A new table fails here until somebody says which entry its service writes."""
    known = NAMED | set(COVERED_BY_ANOTHER)
    assert _tables() - known == set()
    assert not NAMED & set(COVERED_BY_ANOTHER)


def _conduct() -> None:
    study = make_study(is_open=False, protocol=LIST_PLAN)
    add_site(study=study, code="N", name="North", actor=SYSTEM)
    make_staff(Role.MONITOR, study=study)
    import_list(study=study, text=_csv(*SLOTS), actor=SYSTEM)
    submit_version(study=study, actor=SYSTEM)
    person = make_participant("week4")
    _look_after(person)
    lock_visit(visit=person.visits.get(week=0), actor=SYSTEM)
    actor = staff(clinician_of(person.study))
    sign_casebook(participant=person, meaning="reviewed", actor=actor)
    letter = {"approved_on": date(2026, 1, 15), "reference": "REC 26/001", "actor": actor}
    approve_site(site=person.study.sites.first(), **letter)
    take_look(study=person.study, reason="the planned look", actor=actor)
    sign_review(study=person.study, up_to=1, note="nothing to query", actor=actor)
    close_study(study=person.study, actor=actor, reason="the audit is tested")
    set_erasure_day(study=person.study, erase_on=date(2100, 1, 1), actor=actor)


def _look_after(person: Participant) -> None:
    user = clinician_of(person.study)
    say_not_ok(participant=person, words="tired")
    account = Account(clock.today(person.zone), "Fell", "mild", "none")
    report_event(participant=person, account=account, user=user)
    note_deviation(participant=person, words="Late", happened_at=clock.now(), user=user)
    sheet = Assessment.objects.filter(visit__participant=person, visit__week=0).first()
    visit = person.visits.get(week=4)
    record_harms_inquiry(visit=visit, was_untoward=True, actor=staff(user))
    ask_about(assessment=sheet, item_key="bed", question="Really?", user=user)
    with clock.at(person.visits.get(week=8).opens_at + timedelta(days=5, hours=12)):
        keep_calendar()
        assert send_due_reminders().sent == 1
    choose_reminders(participant=person, is_stopped=True, actor=SYSTEM)


def test_set_up_enrolment_and_allocation_leave_an_entry_for_every_row() -> None:
    _conduct()
    for label in sorted(NAMED):
        model = apps.get_model(label)
        named = set(
            AuditEntry.objects.filter(subject_type=label).values_list("subject_id", flat=True)
        )
        rows = {str(key) for key in model.objects.values_list("pk", flat=True)}
        assert rows <= named, label


def test_every_entry_has_a_role_and_a_zone() -> None:
    _conduct()
    assert not AuditEntry.objects.filter(role="").exists()
    assert not AuditEntry.objects.filter(zone="").exists()
    participant = make_participant("consented")
    participant.zone = "Pacific/Auckland"
    participant.save()
    entry = record(actor=SYSTEM, action="x", subject=participant.visits.get())
    assert entry.zone == "Pacific/Auckland"
    assert record(actor=SYSTEM, action="x", subject=participant.study).zone == "Asia/Shanghai"
    assert record(actor=SYSTEM, action="x", subject=make_staff()).zone == "UTC"
