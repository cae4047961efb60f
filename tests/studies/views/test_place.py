import pytest
from django.urls import reverse

from studies.models.study import Role
from tests.factories import make_participant, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of, phone_of, short_plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def traveller():
    study = make_study(protocol=short_plan(), zone="Asia/Shanghai")
    return make_participant("consented", study=study)


def test_a_participant_says_where_they_are(traveller):
    phone = phone_of(traveller)
    page = phone.get(reverse("studies:my_place")).content.decode()
    assert '<option value="Asia/Shanghai" selected>' in page
    assert phone.post(reverse("studies:my_place"), {"zone": "Europe/Zurich"}).status_code == 302
    traveller.refresh_from_db()
    assert traveller.zone == "Europe/Zurich"
    assert 'data-zone="Europe/Zurich"' in phone.get(reverse("studies:today")).content.decode()


def test_a_place_that_is_none_changes_nothing(traveller):
    page = phone_of(traveller).post(reverse("studies:my_place"), {"zone": "Mars/Olympus"})
    assert "Choose a place from the list" in page.content.decode()
    traveller.refresh_from_db()
    assert traveller.zone == "Asia/Shanghai"


def test_staff_enter_it_and_others_do_not(traveller):
    address = reverse("studies:place", args=[traveller.study.code, traveller.code])
    outsider = desk_of(make_staff(Role.ASSESSOR, study=traveller.study))
    assert outsider.post(address, {"zone": "Europe/Zurich"}).status_code in {403, 404}
    page = clinician_in(traveller.study).post(address, {"zone": "Europe/Zurich"}, follow=True)
    assert "Saved." in page.content.decode()
    assert "Europe/Zurich" in page.content.decode()
    traveller.refresh_from_db()
    assert traveller.zone == "Europe/Zurich"
