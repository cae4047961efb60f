from datetime import timedelta

import pytest
from django.urls import reverse

from studies import clock
from studies.models.study import Role
from studies.models.visit import Assessment, AssessmentState, PaperForm
from tests.factories import answers, make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def due():
    """The week-4 questionnaire of somebody, in the middle of its window."""
    participant = make_participant("allocated", study=make_study(protocol=short_plan()))
    sheet = Assessment.objects.get(visit__participant=participant, visit__week=4)
    with clock.at(sheet.visit.opens_at + timedelta(days=6)):
        yield sheet


def address(sheet, name="enter_paper"):
    participant = sheet.visit.participant
    return reverse(f"studies:{name}", args=[participant.study.code, participant.code, sheet.pk])


def sent(sheet, **changes):
    given = {f"{key}-answer": value for key, value in answers("cpss", 2).items()}
    return given | {"filled_on": sheet.visit.target_on.isoformat()} | changes


def test_a_whole_form_is_entered_and_shown_again(due):
    client = clinician_in(due.visit.participant.study)
    assert "Enter a form on paper" in client.get(address(due)).content.decode()
    page = client.post(address(due), sent(due), follow=True).content.decode()
    assert "Entered and scored." in page
    assert "form on paper" in page
    due.refresh_from_db()
    assert due.state == AssessmentState.SUBMITTED


def test_what_is_wrong_is_named_and_what_was_typed_stays(due):
    client = clinician_in(due.visit.participant.study)
    wrong = sent(due, **{"item_2-answer": "", "filled_on": "2001-01-01"})
    wrong["item_3-paper-blank"] = "on"
    page = client.post(address(due), wrong).content.decode()
    assert "Choose one answer." in page
    assert "Either enter the answer or say that it was left blank." in page
    assert "Enter a day from" in page
    assert page.count(" checked") == len(answers("cpss", 2)) - 1 + 1
    assert not PaperForm.objects.exists()


def test_a_blank_is_said(due):
    client = clinician_in(due.visit.participant.study)
    left = sent(due, **{"item_2-answer": "", "item_2-paper-blank": "on"})
    page = client.post(address(due), left, follow=True).content.decode()
    assert "Entered and scored." in page


def test_the_same_form_sent_twice_is_entered_once(due):
    client = clinician_in(due.visit.participant.study)
    client.post(address(due), sent(due))
    page = client.post(address(due), sent(due), follow=True).content.decode()
    assert "Nothing was entered." in page
    assert PaperForm.objects.count() == 1


def test_the_form_to_print_has_every_item_and_no_name(due):
    client = clinician_in(due.visit.participant.study)
    page = client.get(address(due, "paper_form")).content.decode()
    assert page.count('class="asked"') == len(answers("cpss", 2))
    assert due.visit.participant.code in page
    assert "Ada" not in page
    assert "<input" not in page.partition("<article")[2].partition("</article>")[0]


@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.MONITOR, Role.RESEARCHER])
def test_others_enter_nothing(due, role):
    study = due.visit.participant.study
    client = desk_of(make_staff(role, study=study))
    for name in ("enter_paper", "paper_form"):
        assert client.get(address(due, name)).status_code in {403, 404}
    assert client.post(address(due), sent(due)).status_code in {403, 404}
    assert not PaperForm.objects.exists()


def test_somebody_of_another_study_is_not_found(due):
    client = clinician_in(make_study())
    assert client.post(address(due), sent(due)).status_code == 404
