"""Who may do what in a study: the table of `design/roles.py`, asked for accounts and pages."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from studies.design.roles import ROLE_ABILITIES, Ability, abilities_of
from studies.models.study import Membership, Site, Study
from studies.models.user import User

__all__ = ["ROLE_ABILITIES", "Ability", "abilities_in", "can", "requires", "sites_of", "studies_of"]

View = Callable[..., HttpResponse]


def abilities_in(user: User | AnonymousUser, study: Study) -> frozenset[Ability]:
    """Return everything that a user may do in a study, at one of its sites at least."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    memberships = Membership.objects.live().filter(study=study, user=user)
    return abilities_of(memberships.values_list("role", flat=True))


def can(user: User | AnonymousUser, study: Study, ability: Ability) -> bool:
    """Return whether a user may do this in a study, at one of its sites at least."""
    return ability in abilities_in(user, study)


def sites_of(user: User, study: Study, ability: Ability) -> list[Site]:
    """Return the sites of a study at which a user may do this, in the study's order."""
    memberships = Membership.objects.live().filter(study=study, user=user)
    able = [m for m in memberships if ability in ROLE_ABILITIES[m.role]]
    sites = study.sites.order_by("position")
    if not any(member.site_id is None for member in able):
        sites = sites.filter(pk__in=[member.site_id for member in able])
    return list(sites)


def studies_of(user: User | AnonymousUser) -> list[Study]:
    """Return the studies that a user works on, newest first."""
    if not user.is_authenticated or not user.is_active:
        return []
    mine = Membership.objects.live().filter(user=user)
    return list(Study.objects.filter(pk__in=mine.values("study")).order_by("-created_at"))


def requires(ability: Ability) -> Callable[[View], View]:
    """Give a view the `Study` in place of the code in its address, to those who may.

    Everybody else gets the page of an address that does not exist: the outsider does not even learn
    that there is such a study. A page of one participant also asks `Participant.visible_to` with
    the same ability, because a role may be held at some sites only.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(
            request: HttpRequest, study: str, *args: object, **kwargs: object
        ) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            found = Study.objects.filter(code=study).first()
            if found is None or not can(request.user, found, ability):
                raise Http404
            # Days and times are those of the study's own clocks, not of the server's.
            with timezone.override(found.zone):
                return view(request, found, *args, **kwargs)

        guarded.ability = ability
        return guarded

    return decorate
