"""Who works on a study, in which role and at which site: granted and revoked, always recorded."""

from django.db import transaction
from django.db.models import QuerySet

from studies import clock
from studies.design.roles import Ability, roles_that_exclude, roles_with
from studies.exceptions import RoleOfOnesOwn, RolesExclude, SiteUnknown
from studies.models.study import Membership, Role, Site, Study
from studies.models.user import User
from studies.services.trail.audit import Actor, record


@transaction.atomic
def add_site(*, study: Study, code: str, name: str, actor: Actor) -> Site:
    """Add a place where the study is conducted; adding it twice changes nothing."""
    Study.objects.select_for_update().get(pk=study.pk)
    site, is_new = Site.objects.get_or_create(
        study=study, code=code, defaults={"name": name, "position": study.sites.count()}
    )
    if is_new:
        record(actor=actor, action="add_site", subject=site, new={"code": code, "name": name})
    return site


@transaction.atomic
def appoint_founder(*, study: Study, actor: Actor) -> Membership:
    """Make whoever drafts a study its principal investigator, at every site."""
    return _grant(study, actor.user, Role.PRINCIPAL_INVESTIGATOR, None, actor)


def may_be_on_call(study: Study) -> QuerySet[Membership]:
    """Return who can be put on call: the members whose role looks after safety."""
    return study.memberships.live().filter(role__in=roles_with(Ability.HANDLE_SAFETY))


@transaction.atomic
def put_on_call(*, membership: Membership, actor: Actor, is_on_call: bool) -> None:
    """Say whether somebody answers alerts about participants in this role."""
    member = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
    if member.revoked_at is not None or member.is_on_call == is_on_call:
        return
    member.is_on_call = is_on_call
    member.save(update_fields=["is_on_call"])
    record(
        actor=actor,
        action="put_on_call",
        subject=member,
        old={"is_on_call": not is_on_call},
        new={**_named(member), "is_on_call": is_on_call},
    )


@transaction.atomic
def add_member(
    *, study: Study, user: User, role: str, actor: Actor, site: Site | None = None
) -> Membership:
    """Give somebody a role, at one site or at all; giving it twice changes nothing.

    Raises SiteUnknown, RoleOfOnesOwn, or RolesExclude where the unblinded statistician would also
    look after people.
    """
    Study.objects.select_for_update().get(pk=study.pk)
    if site is not None and site.study_id != study.pk:
        raise SiteUnknown(study.code, site)
    live = Membership.objects.live().filter(study=study, user=user)
    member = live.filter(role=role, site=site).first()
    if member is not None:
        return member
    if actor.user == user:
        raise RoleOfOnesOwn(role)
    held = sorted(set(live.values_list("role", flat=True)))
    if excluding := roles_that_exclude(role, held):
        raise RolesExclude(role, excluding)
    return _grant(study, user, role, site, actor)


@transaction.atomic
def revoke_member(*, membership: Membership, actor: Actor, reason: str = "") -> None:
    """Take a role away from now on; what was done in it stays."""
    member = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
    if member.revoked_at is not None:
        return
    member.revoked_at, member.revoked_by = clock.now(), actor.name
    member.save(update_fields=["revoked_at", "revoked_by"])
    record(
        actor=actor,
        action="revoke_member",
        subject=member,
        old=_named(member),
        reason=reason,
    )


def _grant(study: Study, user: User, role: str, site: Site | None, actor: Actor) -> Membership:
    member = Membership.objects.create(
        study=study,
        user=user,
        role=role,
        site=site,
        granted_at=clock.now(),
        granted_by=actor.name,
        is_on_call=_is_first_to_answer(study, role),
    )
    record(actor=actor, action="add_member", subject=member, new=_named(member))
    return member


def _is_first_to_answer(study: Study, role: str) -> bool:
    """Return whether this is the first investigator: on call until somebody says otherwise."""
    is_chief = role == Role.PRINCIPAL_INVESTIGATOR
    return is_chief and not study.memberships.live().filter(is_on_call=True).exists()


def _named(member: Membership) -> dict[str, str]:
    site = member.site.code if member.site else ""
    return {"account": member.user.get_username(), "role": member.role, "site": site}
