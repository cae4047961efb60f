"""Who may open which address: every address of the trial is in exactly one of these tables."""

import uuid

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from studies.design.roles import ROLE_ABILITIES, Ability
from studies.models.study import Role
from studies.models.visit import Assessment
from studies.services.protocol.members import add_member, add_site, revoke_member
from studies.services.trail.audit import SYSTEM
from studies.urls import urlpatterns
from tests.factories import invite, make_participant, make_staff, make_study
from tests.studies.views.browsers import (
    clinician_in,
    desk_of,
    outsider,
    phone_of,
    researcher_in,
    short_plan,
)

pytestmark = pytest.mark.django_db

SOME_DAY = "2026-11-22"

# Open to everybody; a private link and its PIN guard themselves (test_entry.py).
EVERYBODY = {
    "front",
    "language",
    "private_link",
    "link_pin",
    "pin",
    "help",
    "leave",
    "worker",
    "offline",
    "mail_stop",
    "guardian_link",
    "guardian_link_pin",
    "guardian_pin",
    "guardian_leave",
}
# Pages of a signed-in participant; anybody else is asked for the PIN.
PARTICIPANT_PAGES = {
    "today": [],
    "consent": [],
    "consent_page": [1],
    "consent_questions": [],
    "consent_copies": [],
    "consent_copy": [1],
    "waiting": [],
    "my_contact": [],
    "my_screening": [],
    "consent_decide": [],
    "consent_check": [],
    "consent_talk": [],
    "assess": [1],
    "assess_check": [1],
    "assess_thanks": [1],
    "assess_item": [1, "bed"],
    "music": [],
    "group": [],
    "tonight": [],
    "tonight_again": [],
    "tonight_rate": [],
    "lessons": [],
    "lesson": ["sleep_education", 1],
    "lesson_done": ["sleep_education"],
    "messages": [],
    "diary": [SOME_DAY],
    "diary_check": [SOME_DAY],
    "diary_thanks": [SOME_DAY],
    "diary_usual": [SOME_DAY],
    "diary_item": [SOME_DAY, "bed"],
    "mornings": [],
    "morning": [SOME_DAY],
    "morning_check": [SOME_DAY],
    "morning_item": [SOME_DAY, "quality"],
    "blank": ["psqi"],
    "my_calendar": [],
    "my_reminders": [],
    "my_place": [],
    "not_ok": [],
    "stop": [],
}
# Pages of a signed-in guardian; anybody else, the child too, is asked for the guardian's PIN.
GUARDIAN_PAGES = {
    "guardian": [],
    "permission_page": [1],
    "permission_questions": [],
    "permission_decide": [],
    "permission_talk": [],
    "permission_copy": [1],
    "permission_take_back": [],
}
# What the player asks for by itself; anybody else gets a bare refusal.
PARTICIPANT_DATA = {
    "tonight_status": [],
    "tonight_audio": [uuid.UUID(int=1)],
    "tonight_volume": [uuid.UUID(int=1)],
    "tonight_keep": [uuid.UUID(int=1), "mp3"],
    "tonight_heard": [],
}
# Any member of staff; the list holds their own studies only.
STAFF = {"clinic", "study_new"}
# What a page of a study asks for; whoever may not, finds no such page.
STUDY = {
    "study": Ability.SEE_PARTICIPANTS,
    "study_open": Ability.SET_UP,
    "confirm_opening": Ability.CONFIRM_OPENING,
    "confirm_course": Ability.CONFIRM_OPENING,
    "invite": Ability.INVITE,
    "screening": Ability.INVITE,
    "people": Ability.MANAGE_MEMBERS,
    "sites": Ability.SET_UP,
    "protocol": Ability.SEE_PROTOCOL,
    "protocol_file": Ability.SET_UP,
    "protocol_load": Ability.SET_UP,
    "protocol_submit": Ability.SET_UP,
    "protocol_activate": Ability.SET_UP,
    "protocol_drop": Ability.SET_UP,
    "rehearsal": Ability.SET_UP,
    "sequence": Ability.SEE_SEQUENCE,
    "simulation": Ability.SIMULATE,
    "trail": Ability.READ_AUDIT,
    "trail_review": Ability.REVIEW_AUDIT,
    "flow": Ability.SEE_PROGRESS,
    "study_close": Ability.CLOSE,
    "database": Ability.CLOSE,
    "erasure": Ability.CLOSE,
    "unblindings": Ability.BREAK_BLIND,
    "outcomes": Ability.SEE_OUTCOMES,
    "export": Ability.EXPORT,
    "exports": Ability.EXPORT,
    "unblind": Ability.UNBLIND,
    "analysis": Ability.SEE_OUTCOMES,
    "analysis_plan": Ability.UNBLIND,
    "analysis_lock": Ability.UNBLIND,
    "analysis_run": Ability.SEE_OUTCOMES,
    "safety": Ability.HANDLE_SAFETY,
    "adherence": Ability.SEE_ADHERENCE,
    "recruitment": Ability.SEE_PROGRESS,
    "deviations": Ability.SEE_PARTICIPANTS,
    "queries": Ability.SEE_PARTICIPANTS,
    "care_listing": Ability.TREAT,
    "care_course": Ability.TREAT,
    "care_course_drop": Ability.TREAT,
}
# The same, with something of the study in the address: a participant's code ...
PARTICIPANT_OF_STUDY = {
    "participant": Ability.SEE_PARTICIPANTS,
    "allocate": Ability.ALLOCATE,
    "reissue": Ability.INVITE,
    "guardian_name": Ability.INVITE,
    "contact_check": Ability.INVITE,
    "contact_correction": Ability.REVEAL_CONTACT,
    "screening_answers": Ability.INVITE,
    "guardian_reissue": Ability.INVITE,
    "revoke": Ability.INVITE,
    "reveal": Ability.REVEAL_CONTACT,
    "withdraw": Ability.WITHDRAW,
    "erase_contact": Ability.WITHDRAW,
    "locks": Ability.LOCK,
    "sign": Ability.SIGN,
    "break_blind": Ability.BREAK_BLIND,
    "report_unblinding": Ability.BREAK_BLIND,
    "place": Ability.INVITE,
    "reminders": Ability.SEE_PARTICIPANTS,
    "harms": Ability.HANDLE_SAFETY,
    "event_new": Ability.HANDLE_SAFETY,
    "deviation_new": Ability.CORRECT,
    "ask": Ability.QUERY,
}
# ... with one of their questionnaires ...
SHEET_OF_STUDY = {"answers": Ability.CORRECT, "correct": Ability.CORRECT}
# ... one in the arm with lessons (anybody else's page is not there) ...
LEARNER_OF_STUDY = {
    "care": Ability.TREAT,
    "care_screening": Ability.TREAT,
    "care_window": Ability.TREAT,
    "care_messages": Ability.TREAT,
}
# ... something that came up while the trial ran (test_conduct.py walks through them) ...
CONDUCT_OF_STUDY = {
    "item": Ability.HANDLE_SAFETY,
    "event": Ability.HANDLE_SAFETY,
    "deviation": Ability.CORRECT,
    "query": Ability.SEE_PARTICIPANTS,
    "unblinding_notice": Ability.BREAK_BLIND,
}
# ... a lock (nothing is locked at first: test_closing.py walks through them) ...
LOCK_OF_STUDY = {"unlock": Ability.LOCK, "unlock_database": Ability.CLOSE}
# ... or the number of a row.
ROW_OF_STUDY = {
    "revoke_role": Ability.MANAGE_MEMBERS,
    "on_call": Ability.MANAGE_MEMBERS,
    "site_approval": Ability.SET_UP,
}
# ... or one of a participant's signed copies (test_reminders.py walks through it).
COPY_OF_STUDY = {"settle_copy": Ability.INVITE}
# ... or one that came on paper (test_paper.py walks through it).
PAPER_OF_STUDY = {"enter_paper": Ability.ENTER_PAPER, "paper_form": Ability.ENTER_PAPER}
# Of a protocol: one of its versions, or one of its steps.
PART_OF_PROTOCOL = {
    "confirm_amendment": Ability.CONFIRM_OPENING,
    "protocol_version": Ability.SEE_PROTOCOL,
    "set_up": Ability.SET_UP,
}
PART_ARGUMENTS = {"confirm_amendment": 1, "protocol_version": 1, "set_up": "about"}
# ... or an analysis, and one of its files.
ANALYSIS_OF_STUDY = {
    "analysis_cancel": Ability.SEE_OUTCOMES,
    "analysis_status": Ability.SEE_OUTCOMES,
    "analysis_file": Ability.SEE_OUTCOMES,
}
# ... or an export.
EXPORT_OF_STUDY = {
    "export_cancel": Ability.EXPORT,
    "export_status": Ability.EXPORT,
    "export_file": Ability.EXPORT,
}
OF_STUDY = (
    STUDY
    | ANALYSIS_OF_STUDY
    | EXPORT_OF_STUDY
    | PARTICIPANT_OF_STUDY
    | LEARNER_OF_STUDY
    | SHEET_OF_STUDY
    | CONDUCT_OF_STUDY
    | LOCK_OF_STUDY
    | ROW_OF_STUDY
    | COPY_OF_STUDY
    | PAPER_OF_STUDY
    | PART_OF_PROTOCOL
)
# Pages that nobody finds before answers are handed in or locked, or before somebody has lessons.
NOT_YET_THERE = {
    *SHEET_OF_STUDY,
    *LEARNER_OF_STUDY,
    *CONDUCT_OF_STUDY,
    *LOCK_OF_STUDY,
    *COPY_OF_STUDY,
    *PAPER_OF_STUDY,
    *ANALYSIS_OF_STUDY,
    *EXPORT_OF_STUDY,
}
# Addresses that act, and show nothing.
POST_ONLY = {
    "leave",
    "tonight_again",
    "tonight_rate",
    "tonight_heard",
    "diary_usual",
    "study_open",
    "protocol_submit",
    "protocol_activate",
    "protocol_drop",
    "on_call",
    "allocate",
    "reissue",
    "guardian_leave",
    "guardian_reissue",
    "revoke",
    "revoke_role",
    "care_course_drop",
    "settle_copy",
    "unblinding_notice",
    "export",
    "analysis_run",
    "analysis_cancel",
    "export_cancel",
    "export_file",
}
FOUND = {200, 302}


def ask(client: Client, name: str, *args: object) -> int:
    address = reverse(f"studies:{name}", args=args)
    return (client.post if name in POST_ONLY else client.get)(address).status_code


def test_every_address_of_the_trial_is_in_one_table():
    tables = [EVERYBODY, PARTICIPANT_PAGES, GUARDIAN_PAGES, PARTICIPANT_DATA, STAFF, OF_STUDY]
    classified = [name for table in tables for name in table]
    assert sorted(classified) == sorted(pattern.name for pattern in urlpatterns)


def test_every_page_of_a_study_is_guarded_by_the_ability_of_the_table():
    guards = {pattern.name: getattr(pattern.callback, "ability", None) for pattern in urlpatterns}
    assert {name: guards[name] for name in OF_STUDY} == OF_STUDY


@pytest.mark.parametrize("name", sorted(PARTICIPANT_PAGES))
def test_a_participants_page_asks_a_stranger_for_the_pin(name):
    address = reverse(f"studies:{name}", args=PARTICIPANT_PAGES[name])
    client = Client()
    response = client.post(address) if name in POST_ONLY else client.get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("studies:pin") + "?next=")


@pytest.mark.parametrize("name", sorted(GUARDIAN_PAGES))
def test_a_guardians_page_asks_everybody_else_for_the_guardians_pin(name):
    address = reverse(f"studies:{name}", args=GUARDIAN_PAGES[name])
    child = phone_of(make_participant())
    for client in (Client(), child):
        response = client.get(address)
        assert response.status_code == 302
        assert response.url.startswith(reverse("studies:guardian_pin") + "?next=")


@pytest.mark.parametrize("name", sorted(PARTICIPANT_DATA))
def test_a_participants_data_are_refused_to_a_stranger(name):
    assert ask(Client(), name, *PARTICIPANT_DATA[name]) == 403


def test_members_of_staff_are_strangers_on_a_participants_pages():
    stranger = outsider()
    assert ask(stranger, "today") == 302
    assert ask(stranger, "tonight_status") == 403


@pytest.mark.parametrize("name", sorted(STAFF))
def test_staff_pages_ask_a_visitor_to_sign_in(name):
    response = Client().get(reverse(f"studies:{name}"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", sorted(STUDY))
def test_a_visitor_signs_in_before_a_study_is_looked_up(name):
    address = reverse(f"studies:{name}", args=["NO-SUCH"])
    response = Client().post(address) if name in POST_ONLY else Client().get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


def arguments(name, study, participant):
    if name in PARTICIPANT_OF_STUDY | LEARNER_OF_STUDY:
        return [study.code, participant.code]
    if name in SHEET_OF_STUDY | PAPER_OF_STUDY:
        sheet = Assessment.objects.filter(visit__participant=participant).first()
        item = ["item_1"] if name == "correct" else []
        return [study.code, participant.code, sheet.pk if sheet else 1, *item]
    if name in CONDUCT_OF_STUDY:
        return [study.code, 1]
    if name in ANALYSIS_OF_STUDY | EXPORT_OF_STUDY:
        return [study.code, uuid.UUID(int=1), *(["run.json"] if name == "analysis_file" else [])]
    if name in LOCK_OF_STUDY | COPY_OF_STUDY:
        return [study.code, *([] if name == "unlock_database" else [participant.code]), 1]
    if name in PART_OF_PROTOCOL:
        return [study.code, PART_ARGUMENTS[name]]
    if name in ROW_OF_STUDY:
        rows = study.sites if name == "site_approval" else study.memberships
        return [study.code, rows.order_by("pk").first().pk]
    return [study.code]


def walk(client, study, participant):
    """Return which addresses of the study somebody finds; what acts on rows is rolled back."""
    found = set()
    for name in OF_STUDY:
        with transaction.atomic():
            status = ask(client, name, *arguments(name, study, participant))
            transaction.set_rollback(True)
        assert status in FOUND | {404}, (name, status)
        if status != 404:
            found.add(name)
    return found


@pytest.mark.parametrize("role", Role.values)
def test_each_role_finds_what_the_table_says_and_nothing_else(role):
    study = make_study(protocol=short_plan())
    participant = make_participant(study=study)
    member = desk_of(make_staff(role, study=study))
    expected = {name for name, ability in OF_STUDY.items() if ability in ROLE_ABILITIES[role]}
    # Nothing is handed in yet, so these pages are not there for anybody: see the test below.
    assert walk(member, study, participant) == expected - NOT_YET_THERE


def test_answers_that_were_handed_in_are_found_by_those_who_may_correct_them():
    study = make_study(protocol=short_plan())
    participant = make_participant("baseline_done", study=study)
    finders = {
        role
        for role in Role.values
        for name in SHEET_OF_STUDY
        if ask(
            desk_of(make_staff(role, study=study, name=f"{role}-{name}")),
            name,
            *arguments(name, study, participant),
        )
        != 404
    }
    assert finders == {"principal_investigator", "coordinator"}
    stranger = desk_of(make_staff(Role.COORDINATOR, study=make_study(protocol=short_plan())))
    for name in SHEET_OF_STUDY:
        assert ask(stranger, name, *arguments(name, study, participant)) == 404


@pytest.mark.parametrize("role", Role.values)
def test_a_role_in_one_study_finds_nothing_of_another(role):
    elsewhere, study = make_study(protocol=short_plan()), make_study(protocol=short_plan())
    participant = make_participant(study=study)
    assert walk(desk_of(make_staff(role, study=elsewhere)), study, participant) == set()


def test_to_an_outsider_no_study_exists():
    study = make_study()
    assert walk(outsider(), study, make_participant(study=study)) == set()


def test_a_role_that_was_revoked_opens_nothing_from_that_moment_on():
    study = make_study(protocol=short_plan())
    participant = make_participant(study=study)
    account = make_staff(Role.COORDINATOR, study=study)
    member = desk_of(account)
    assert "participant" in walk(member, study, participant)
    revoke_member(membership=account.memberships.get(), actor=SYSTEM)
    assert walk(member, study, participant) == set()


def test_a_role_at_one_site_finds_nobody_of_another():
    study = make_study(protocol=short_plan())
    north, south = (add_site(study=study, code=c, name=c, actor=SYSTEM) for c in ("N", "S"))
    here, there = (invite(study, site=site).participant for site in (north, south))
    coordinator = desk_of(make_staff(Role.COORDINATOR, study=study, site=north))
    abilities = ROLE_ABILITIES[Role.COORDINATOR]
    theirs = {name for name, ability in PARTICIPANT_OF_STUDY.items() if ability in abilities}
    assert theirs <= walk(coordinator, study, here)
    assert not set(PARTICIPANT_OF_STUDY) & walk(coordinator, study, there)
    page = coordinator.get(reverse("studies:study", args=[study.code])).content.decode()
    assert (here.code in page, there.code in page) == (True, False)


def test_an_ability_at_one_site_is_none_at_another():
    study = make_study(protocol=short_plan())
    north, south = (add_site(study=study, code=c, name=c, actor=SYSTEM) for c in ("N", "S"))
    account = make_staff(Role.COORDINATOR, study=study, site=north)
    add_member(study=study, user=account, role=Role.MONITOR, site=south, actor=SYSTEM)
    there = invite(study, site=south).participant
    client = desk_of(account)
    assert ask(client, "participant", study.code, there.code) == 200
    assert ask(client, "reveal", study.code, there.code) == 404
    assert ask(client, "allocate", study.code, there.code) == 404


def test_a_row_or_a_participant_of_another_study_does_not_exist():
    study, other = make_study(), make_study()
    clinician = clinician_in(study)
    stranger = make_participant(study=other)
    found = {ask(clinician, name, study.code, stranger.code) for name in PARTICIPANT_OF_STUDY}
    row = other.memberships.order_by("pk").first().pk
    found |= {ask(clinician, name, study.code, row) for name in ROW_OF_STUDY}
    assert found == {404}


def test_what_acts_is_not_done_by_looking():
    study = make_study()
    clinician, researcher = clinician_in(study), researcher_in(study)
    participant = make_participant(study=study)
    people = [study.code, participant.code]
    for name in sorted(POST_ONLY & set(PARTICIPANT_OF_STUDY)):
        assert clinician.get(reverse(f"studies:{name}", args=people)).status_code == 405, name
    assert clinician.get(reverse("studies:study_open", args=[study.code])).status_code == 405
    assert researcher.get(reverse("studies:export", args=[study.code])).status_code == 405
    for name in ("leave", "tonight_again", "tonight_heard"):
        assert Client().get(reverse(f"studies:{name}")).status_code == 405, name


def test_private_pages_are_never_stored():
    response = Client().get(reverse("studies:pin"))
    assert "no-store" in response["Cache-Control"]
