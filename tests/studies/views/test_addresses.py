"""Who may open which address: every address of the trial is in exactly one of these tables."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from studies.urls import urlpatterns
from tests.factories import make_participant, make_study
from tests.studies.views.browsers import clinician_in, outsider, researcher_in

pytestmark = pytest.mark.django_db

SOME_DAY = "2026-11-22"

# Open to everybody; a private link and its PIN guard themselves (test_entry.py).
EVERYBODY = {"front", "language", "private_link", "link_pin", "pin", "help", "leave"}
# Pages of a signed-in participant; anybody else is asked for the PIN.
PARTICIPANT_PAGES = {
    "today": [],
    "consent": [],
    "consent_page": [1],
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
    "lessons": [],
    "lesson": ["sleep_education", 1],
    "diary": [SOME_DAY],
    "diary_check": [SOME_DAY],
    "diary_item": [SOME_DAY, "bed"],
    "stop": [],
}
# What the player asks for by itself; anybody else gets a bare refusal.
PARTICIPANT_DATA = {
    "tonight_status": [],
    "tonight_audio": [uuid.UUID(int=1)],
    "tonight_heard": [],
}
# Any member of staff; the list holds their own studies only.
STAFF = {"clinic", "study_new"}
CLINICIAN = {"study", "study_open", "invite"}
CLINICIAN_OF_PARTICIPANT = {"participant", "allocate", "reissue", "revoke", "reveal", "withdraw"}
RESEARCHER = {"outcomes", "export", "unblind"}
CLINICIAN_OR_RESEARCHER = {"study_close"}
CLINICIAN_OR_ADMINISTRATOR = {"people"}
STUDY = CLINICIAN | RESEARCHER | CLINICIAN_OR_RESEARCHER | CLINICIAN_OR_ADMINISTRATOR
# Addresses that act, and show nothing.
POST_ONLY = {
    "leave",
    "tonight_again",
    "tonight_heard",
    "study_open",
    "allocate",
    "reissue",
    "revoke",
    "export",
}


def ask(client: Client, name: str, *args: object) -> int:
    address = reverse(f"studies:{name}", args=args)
    return (client.post if name in POST_ONLY else client.get)(address).status_code


def test_every_address_of_the_trial_is_in_one_table():
    tables = [EVERYBODY, set(PARTICIPANT_PAGES), set(PARTICIPANT_DATA), STAFF, STUDY]
    tables.append(CLINICIAN_OF_PARTICIPANT)
    classified = [name for table in tables for name in table]
    assert sorted(classified) == sorted(pattern.name for pattern in urlpatterns)


@pytest.mark.parametrize("name", sorted(PARTICIPANT_PAGES))
def test_a_participants_page_asks_a_stranger_for_the_pin(name):
    address = reverse(f"studies:{name}", args=PARTICIPANT_PAGES[name])
    client = Client()
    response = client.post(address) if name in POST_ONLY else client.get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("studies:pin") + "?next=")


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


def test_to_an_outsider_no_study_exists():
    study, stranger = make_study(), outsider()
    participant = make_participant(study=study)
    found = {name: ask(stranger, name, study.code) for name in STUDY}
    found |= {
        name: ask(stranger, name, study.code, participant.code) for name in CLINICIAN_OF_PARTICIPANT
    }
    assert set(found.values()) == {404}, found


def test_to_a_researcher_no_participant_exists():
    study = make_study()
    researcher = researcher_in(study)
    participant = make_participant(study=study)
    hidden = CLINICIAN | CLINICIAN_OR_ADMINISTRATOR
    found = {name: ask(researcher, name, study.code) for name in hidden}
    found |= {
        name: ask(researcher, name, study.code, participant.code)
        for name in CLINICIAN_OF_PARTICIPANT
    }
    assert set(found.values()) == {404}, found


def test_to_a_clinician_no_outcome_exists():
    study = make_study()
    clinician = clinician_in(study)
    assert {ask(clinician, name, study.code) for name in RESEARCHER} == {404}


def test_a_participant_of_another_study_does_not_exist():
    study = make_study()
    clinician = clinician_in(study)
    stranger = make_participant()
    found = {ask(clinician, name, study.code, stranger.code) for name in CLINICIAN_OF_PARTICIPANT}
    assert found == {404}


def test_what_acts_is_not_done_by_looking():
    study = make_study()
    clinician, researcher = clinician_in(study), researcher_in(study)
    participant = make_participant(study=study)
    people = [study.code, participant.code]
    for name in sorted(POST_ONLY & CLINICIAN_OF_PARTICIPANT):
        assert clinician.get(reverse(f"studies:{name}", args=people)).status_code == 405, name
    assert clinician.get(reverse("studies:study_open", args=[study.code])).status_code == 405
    assert researcher.get(reverse("studies:export", args=[study.code])).status_code == 405
    for name in ("leave", "tonight_again", "tonight_heard"):
        assert Client().get(reverse(f"studies:{name}")).status_code == 405, name


def test_private_pages_are_never_stored():
    response = Client().get(reverse("studies:pin"))
    assert "no-store" in response["Cache-Control"]
