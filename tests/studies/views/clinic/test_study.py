import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from studies.models.participant import Participant
from studies.models.study import Study, StudyState
from tests.factories import clinician_of, make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, outsider, short_plan

pytestmark = pytest.mark.django_db

DRAFT = {
    "title": "Sleep music in winter",
    "code": "WINTER-1",
    "zone": "Europe/London",
    "night_minutes": "30",
}
INVITATION = {
    "name": "Ada Example",
    "contact": "ada@example.org",
    "age_years": "15",
    "language": "en",
    "sex": "female",
}


def test_the_list_holds_ones_own_studies_only():
    study, other = make_study(code="MINE"), make_study(code="THEIRS")
    page = clinician_in(study).get("/clinic/").content.decode()
    assert "MINE" in page
    assert "THEIRS" not in page
    assert other.code not in page


def test_a_study_is_drafted_from_the_template_and_opened():
    client = desk_of(make_staff())
    assert client.post("/clinic/new/", DRAFT).url == "/clinic/WINTER-1/"
    page = client.get("/clinic/WINTER-1/").content.decode()
    assert "CBT, LSTM-ACM, MCMG, GAMC" in page
    assert client.post("/clinic/WINTER-1/open/").url == "/clinic/WINTER-1/"
    assert Study.objects.get(code="WINTER-1").state == StudyState.OPEN
    assert "Nobody is invited yet." in client.get("/clinic/WINTER-1/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("code", "winter 1", "Enter 3 to 16 capital letters, digits or hyphens"),
        ("code", "NIGHT-1", "A study with this code exists"),
        ("zone", "Mars/Olympus", "Enter a time zone like Europe/London"),
        ("night_minutes", "61", "60"),
        ("night_minutes", "long", "Enter a whole number of minutes"),
        ("title", "", "Enter a title"),
    ],
)
def test_a_draft_that_cannot_be_says_why_and_keeps_what_was_typed(field, value, words):
    make_study(code="NIGHT-1")
    page = outsider().post("/clinic/new/", {**DRAFT, field: value}).content.decode()
    assert words in page
    assert "<title>Error: " in page
    assert "Europe/London" in page


def test_opening_twice_tells_the_reason():
    study = make_study()
    client = clinician_in(study)
    response = client.post(reverse("studies:study_open", args=[study.code]), follow=True)
    assert "Not opened: " in response.content.decode()


def test_the_private_link_of_an_invitation_is_shown_once():
    study = make_study()
    client = clinician_in(study)
    response = client.post(f"/clinic/{study.code}/invite/", INVITATION)
    participant = Participant.objects.get(study=study)
    assert response.url == f"/clinic/{study.code}/p/{participant.code}/"
    first = client.get(response.url).content.decode()
    assert 'id="private-link" value="http://testserver/p/' in first
    assert "private-link" not in client.get(response.url).content.decode()
    assert "Ada Example" not in first


def test_somebody_too_young_is_not_invited_and_the_page_says_why():
    study = make_study()
    client = clinician_in(study)
    page = client.post(f"/clinic/{study.code}/invite/", {**INVITATION, "age_years": "9"})
    assert page.status_code == 200
    assert "error-summary" in page.content.decode()
    assert not Participant.objects.exists()


def test_nobody_is_invited_to_a_draft():
    study = make_study(is_open=False)
    page = clinician_in(study).post(f"/clinic/{study.code}/invite/", INVITATION)
    assert "The study is not open" in page.content.decode()


def test_the_worklist_puts_first_who_needs_somebody():
    study = make_study(protocol=short_plan())
    waiting = make_participant("invited", study=study)
    ready = make_participant("baseline_done", study=study)
    page = clinician_in(study).get(f"/clinic/{study.code}/").content.decode()
    assert page.index(ready.code) < page.index(waiting.code)
    assert page.count(f"/p/{ready.code}/allocate/") == 1
    assert f"/p/{waiting.code}/allocate/" not in page


def test_data_collection_ends_after_the_code_was_typed():
    study = make_study()
    client = clinician_in(study)
    address = f"/clinic/{study.code}/close/"
    page = client.post(address, {"code": "NO", "reason": ""}).content.decode()
    assert "exactly as shown" in page
    client.post(address, {"code": study.code, "reason": "all done"})
    study.refresh_from_db()
    assert study.state == StudyState.CLOSED


def test_staff_without_a_second_factor_are_sent_to_set_one_up(client):
    study = make_study()
    client.force_login(clinician_of(study))
    assert client.get("/clinic/").url == reverse("mfa_activate_totp")


def test_a_message_is_shown_as_text():
    study = make_study()
    client = clinician_in(study)
    response = client.post(reverse("studies:study_open", args=[study.code]))
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["error"]
