import pytest

from studies import clock
from studies.exceptions import RoleOfOnesOwn, RolesExclude, SiteUnknown
from studies.models.audit import AuditEntry
from studies.models.study import Membership, Role, Site
from studies.services.protocol.members import add_member, add_site, revoke_member
from studies.services.trail.audit import SYSTEM, staff
from tests.factories import clinician_of, invite, make_staff, make_study

pytestmark = pytest.mark.django_db


def test_membership_is_given_once_and_can_be_taken_away() -> None:
    study, researcher = make_study(), make_staff()
    actor = staff(clinician_of(study))
    member = add_member(study=study, user=researcher, role=Role.RESEARCHER, actor=actor)
    assert add_member(study=study, user=researcher, role=Role.RESEARCHER, actor=actor) == member
    revoke_member(membership=member, actor=actor, reason="left")
    revoke_member(membership=member, actor=actor)
    again = add_member(study=study, user=researcher, role=Role.RESEARCHER, actor=actor)
    assert again != member
    assert Membership.objects.filter(user=researcher).count() == 2


def test_a_role_says_who_gave_and_took_it_and_when() -> None:
    study = make_study()
    actor = staff(clinician_of(study))
    member = add_member(study=study, user=make_staff(), role=Role.MONITOR, actor=actor)
    revoke_member(membership=member, actor=SYSTEM, reason="the visit is over")
    member.refresh_from_db()
    assert (member.granted_by, member.revoked_by) == (actor.name, "system")
    assert member.granted_at <= member.revoked_at <= clock.now()
    given, taken = AuditEntry.objects.filter(subject_id=str(member.pk), subject_type__endswith="p")
    named = {"account": member.user.username, "role": "monitor", "site": ""}
    assert (given.action, given.new, given.actor) == ("add_member", named, actor.name)
    assert (taken.action, taken.old, taken.reason) == (
        "revoke_member",
        named,
        "the visit is over",
    )


def test_nobody_gives_a_role_to_themselves() -> None:
    study = make_study()
    account = make_staff(Role.ADMINISTRATOR, study=study)
    with pytest.raises(RoleOfOnesOwn, match="Ask another member"):
        add_member(study=study, user=account, role=Role.STATISTICIAN, actor=staff(account))
    assert account.memberships.get().role == Role.ADMINISTRATOR


def test_the_unblinded_statistician_never_looks_after_people() -> None:
    study = make_study()
    statistician = make_staff(Role.STATISTICIAN, study=study)
    actor = staff(clinician_of(study))
    with pytest.raises(RolesExclude, match="without statistician"):
        add_member(study=study, user=statistician, role=Role.COORDINATOR, actor=actor)
    revoke_member(membership=statistician.memberships.get(), actor=actor)
    assert add_member(study=study, user=statistician, role=Role.COORDINATOR, actor=actor)


def test_a_role_can_be_held_at_two_sites_and_at_all() -> None:
    study, account = make_study(), make_staff()
    sites = [add_site(study=study, code=code, name=code, actor=SYSTEM) for code in ("N", "S")]
    for site in [*sites, None]:
        add_member(study=study, user=account, role=Role.COORDINATOR, site=site, actor=SYSTEM)
    assert account.memberships.count() == 3


def test_a_site_of_another_study_is_refused() -> None:
    study, other = make_study(), make_study()
    foreign = Site.objects.get(study=other)
    with pytest.raises(SiteUnknown, match=study.code):
        add_member(
            study=study, user=make_staff(), role=Role.COORDINATOR, site=foreign, actor=SYSTEM
        )
    with pytest.raises(SiteUnknown, match="Choose one of its sites"):
        invite(study, site=foreign)


def test_a_site_is_added_once() -> None:
    study = make_study()
    site = add_site(study=study, code="N", name="North", actor=SYSTEM)
    assert add_site(study=study, code="N", name="North again", actor=SYSTEM) == site
    assert list(study.sites.values_list("code", "position")) == [("MAIN", 0), ("N", 1)]
