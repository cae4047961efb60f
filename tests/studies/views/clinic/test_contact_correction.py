import pytest
from django.urls import reverse

from studies.models.participant import Participant
from studies.models.study import Role, Study
from studies.services.entry.identity import erase_identity, identity_of
from studies.services.trail.audit import SYSTEM
from tests.factories import make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, short_plan

pytestmark = pytest.mark.django_db

TYPED = {"holder": "participant", "contact": "ada.e@example.org", "cause": "mistyped"}


@pytest.fixture
def participant() -> Participant:
    return make_participant(study=make_study(protocol=short_plan()))


def address(participant: Participant, name: str = "contact_correction") -> str:
    return reverse(f"studies:{name}", args=[participant.study.code, participant.code])


def test_staff_correct_a_contact_and_get_a_link_to_send(participant: Participant) -> None:
    desk = clinician_in(participant.study)
    assert address(participant) in desk.get(address(participant, "participant")).content.decode()
    shown = desk.get(address(participant)).content.decode()
    assert "ada@example.org" not in shown
    assert "Parent or guardian" not in shown
    page = desk.post(address(participant), TYPED, follow=True).content.decode()
    assert "Corrected. Verify the new contact." in page
    assert "Contact corrected" in page
    assert page.count('id="private-link"') == 1
    assert "ada.e@" not in page
    assert identity_of(participant)["contact"] == "ada.e@example.org"


@pytest.mark.parametrize(
    "wrong", [{"contact": " "}, {"cause": ""}, {"cause": "x"}, {"holder": "guardian"}]
)
def test_what_is_not_whole_or_not_offered_changes_nothing(
    wrong: dict[str, str], participant: Participant
) -> None:
    response = clinician_in(participant.study).post(address(participant), {**TYPED, **wrong})
    assert response.status_code == 200
    assert identity_of(participant)["contact"] == "ada@example.org"


def test_who_may_not_see_a_contact_corrects_none_and_a_lock_or_an_erasure_ends_it(
    participant: Participant,
) -> None:
    assessor = desk_of(make_staff(Role.ASSESSOR, study=participant.study))
    assert assessor.post(address(participant), TYPED).status_code == 404
    desk = clinician_in(participant.study)
    Study.objects.filter(pk=participant.study_id).update(state="locked")
    assert desk.post(address(participant), TYPED).status_code == 409
    assert identity_of(participant)["contact"] == "ada@example.org"
    Study.objects.filter(pk=participant.study_id).update(state="open")
    erase_identity(participant=participant, actor=SYSTEM)
    page = desk.post(address(participant), TYPED).content.decode()
    assert "There is nothing to correct." in page
    assert (
        address(participant) not in desk.get(address(participant, "participant")).content.decode()
    )
