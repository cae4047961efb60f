import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from studies.models.study import Role, Study
from studies.models.user import User
from studies.permissions import ROLE_ABILITIES, Ability, abilities_in, can, requires, studies_of
from studies.services.protocol.members import revoke_member
from studies.services.trail.audit import SYSTEM
from tests.factories import clinician_of, make_staff, make_study

pytestmark = pytest.mark.django_db


@requires(Ability.ALLOCATE)
def view(_request: HttpRequest, study: Study, code: str) -> HttpResponse:
    return HttpResponse(f"{study.pk} {code}")


def _get(user: User | AnonymousUser, study: str) -> HttpResponse:
    request = RequestFactory().get(f"/clinic/{study}/")
    request.user = user
    return view(request, study=study, code="NQ")


@pytest.mark.parametrize("role", Role.values)
def test_a_member_may_do_what_the_table_says_and_nothing_else(role: str) -> None:
    study = make_study()
    member = make_staff(role, study=study)
    assert abilities_in(member, study) == ROLE_ABILITIES[role]
    for ability in Ability:
        assert can(member, study, ability) is (ability in ROLE_ABILITIES[role])


def test_who_allocates_reads_no_outcomes_and_who_reads_outcomes_sees_no_people() -> None:
    for abilities in ROLE_ABILITIES.values():
        assert not {Ability.ALLOCATE, Ability.SEE_OUTCOMES} <= abilities
        assert not {Ability.SEE_PARTICIPANTS, Ability.SEE_OUTCOMES} <= abilities


def test_two_roles_add_up_and_a_revoked_one_is_gone() -> None:
    study = make_study()
    member = make_staff("researcher", study=study)
    both = clinician_of(study)
    assert can(both, study, Ability.ALLOCATE)
    revoke_member(membership=member.memberships.get(), actor=SYSTEM)
    assert abilities_in(member, study) == frozenset()
    assert studies_of(member) == []


def test_outsiders_strangers_and_retired_accounts_may_do_nothing() -> None:
    study = make_study()
    retired = clinician_of(study)
    retired.is_active = False
    for user in (make_staff(), AnonymousUser(), retired):
        assert abilities_in(user, study) == frozenset()
        assert studies_of(user) == []


def test_a_guarded_view_gets_its_study_and_outsiders_a_page_that_does_not_exist() -> None:
    study = make_study()
    assert _get(clinician_of(study), study.code).content.decode() == f"{study.pk} NQ"
    for user, code in ((make_staff(), study.code), (clinician_of(study), "NOTHING")):
        with pytest.raises(Http404):
            _get(user, code)
    assert _get(AnonymousUser(), study.code).url.startswith("/accounts/login/?next=")
