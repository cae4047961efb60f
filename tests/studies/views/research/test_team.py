import pytest
from django.urls import reverse

from studies.models.participant import Participant
from studies.models.study import Membership, Role
from studies.services.protocol.members import add_site
from studies.services.trail.audit import SYSTEM
from tests.factories import clinician_of, make_staff, make_study
from tests.studies.views.browsers import clinician_in, desk_of
from tests.studies.views.clinic.test_study import INVITATION

pytestmark = pytest.mark.django_db


def test_somebody_is_added_by_account_role_and_site():
    study = make_study()
    site = add_site(study=study, code="LEEDS", name="Leeds", actor=SYSTEM)
    make_staff(name="rose")
    client = clinician_in(study)
    address = f"/clinic/{study.code}/people/"
    page = client.post(address, {"user": "nobody", "role": "researcher"}).content.decode()
    assert "No active account has this name" in page
    client.post(address, {"user": "rose", "role": "coordinator", "site": "LEEDS"})
    assert Membership.objects.get(study=study, role=Role.COORDINATOR).site == site
    assert "rose" in client.get(address).content.decode()


def test_only_who_looks_after_safety_is_put_on_call():
    study = make_study()
    client = clinician_in(study)
    called = []
    for role in (Role.RESEARCHER, Role.COORDINATOR):
        member = make_staff(role, study=study).memberships.get()
        client.post(reverse("studies:on_call", args=[study.code, member.pk]))
        member.refresh_from_db()
        called.append(member.is_on_call)
    assert called == [False, True]
    page = client.get(f"/clinic/{study.code}/people/").content.decode()
    assert page.count("/on-call/") == 2


def test_a_site_of_another_study_and_an_unknown_role_are_refused():
    study, other = make_study(), make_study()
    add_site(study=other, code="LEEDS", name="Leeds", actor=SYSTEM)
    make_staff(name="rose")
    answers = {"user": "rose", "role": "emperor", "site": "LEEDS"}
    page = clinician_in(study).post(f"/clinic/{study.code}/people/", answers).content.decode()
    assert page.count("field-error") == 2
    assert not Membership.objects.filter(user__username="rose").exists()


def test_giving_oneself_a_role_and_joining_foresight_with_care_are_explained():
    study = make_study()
    make_staff(Role.STATISTICIAN, study=study, name="stella")
    client = clinician_in(study)
    address = f"/clinic/{study.code}/people/"
    own = {"user": clinician_of(study).username, "role": "statistician"}
    assert "Nobody gives roles to themselves" in client.post(address, own).content.decode()
    both = {"user": "stella", "role": "coordinator"}
    page = client.post(address, both).content.decode()
    assert "cannot be joined with Unblinded statistician" in page


def test_a_revoked_role_stays_on_the_page_with_its_dates():
    study = make_study()
    rose = make_staff(Role.MONITOR, study=study, name="rose")
    client = clinician_in(study)
    row = rose.memberships.get()
    address = reverse("studies:revoke_role", args=[study.code, row.pk])
    assert client.post(address).url == f"/clinic/{study.code}/people/"
    row.refresh_from_db()
    assert row.revoked_by == clinician_of(study).username
    assert "rose" in client.get(f"/clinic/{study.code}/people/").content.decode()
    assert client.post(address).status_code == 404


def test_who_gives_up_their_own_role_lands_on_their_studies():
    study = make_study()
    account = make_staff(Role.ADMINISTRATOR, study=study)
    address = reverse("studies:revoke_role", args=[study.code, account.memberships.get().pk])
    assert desk_of(account).post(address).url == "/clinic/"


def test_a_site_is_added_and_people_are_invited_there():
    study = make_study()
    client = clinician_in(study)
    address = f"/clinic/{study.code}/sites/"
    page = client.post(address, {"code": "leeds", "name": "Leeds"}).content.decode()
    assert "Enter 2 to 16 capital letters" in page
    client.post(address, {"code": "LEEDS", "name": "Leeds General"})
    assert "Leeds General" in client.get(address).content.decode()
    invitation = f"/clinic/{study.code}/invite/"
    assert "Choose a site" in client.post(invitation, INVITATION).content.decode()
    client.post(invitation, INVITATION | {"site": "LEEDS"})
    assert Participant.objects.get(study=study).site.code == "LEEDS"


def test_a_coordinator_of_one_site_invites_there_and_nowhere_else():
    study = make_study()
    leeds = add_site(study=study, code="LEEDS", name="Leeds", actor=SYSTEM)
    coordinator = desk_of(make_staff(Role.COORDINATOR, study=study, site=leeds))
    coordinator.post(f"/clinic/{study.code}/invite/", INVITATION | {"site": "MAIN"})
    assert Participant.objects.get(study=study).site == leeds
