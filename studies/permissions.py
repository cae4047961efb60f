"""Who may do what in a study: one table, read by the pages and by the tests alike."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import wraps

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from studies.models.study import Membership, Role, Study
from studies.models.user import User

View = Callable[..., HttpResponse]


class Ability(StrEnum):
    """A thing that a role allows."""

    SET_UP = "set_up"
    INVITE = "invite"
    SEE_PARTICIPANTS = "see_participants"
    ALLOCATE = "allocate"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    SEE_OUTCOMES = "see_outcomes"
    EXPORT = "export"
    UNBLIND = "unblind"
    MANAGE_MEMBERS = "manage_members"
    SEE_PROGRESS = "see_progress"


ROLE_ABILITIES: Mapping[str, frozenset[Ability]] = {
    # Looks after people; sees results like every blinded member, never an arm.
    Role.CLINICIAN: frozenset(
        {
            Ability.SET_UP,
            Ability.INVITE,
            Ability.SEE_PARTICIPANTS,
            Ability.ALLOCATE,
            Ability.WITHDRAW,
            Ability.CLOSE,
            Ability.MANAGE_MEMBERS,
            Ability.SEE_PROGRESS,
        }
    ),
    # Reads results, and never looks after people.
    Role.RESEARCHER: frozenset(
        {
            Ability.SEE_OUTCOMES,
            Ability.EXPORT,
            Ability.CLOSE,
            Ability.UNBLIND,
            Ability.SEE_PROGRESS,
        }
    ),
    # Runs the machinery; sees counts, no people and no results.
    Role.ADMINISTRATOR: frozenset({Ability.MANAGE_MEMBERS, Ability.SEE_PROGRESS}),
}


def abilities_in(user: User | AnonymousUser, study: Study) -> frozenset[Ability]:
    """Return everything that a user may do in a study."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    memberships = Membership.objects.filter(study=study, user=user, revoked_at=None)
    roles = memberships.values_list("role", flat=True)
    return frozenset().union(*(ROLE_ABILITIES[role] for role in roles))


def can(user: User | AnonymousUser, study: Study, ability: Ability) -> bool:
    """Return whether a user may do this in a study."""
    return ability in abilities_in(user, study)


def studies_of(user: User | AnonymousUser) -> list[Study]:
    """Return the studies that a user works on, newest first."""
    if not user.is_authenticated or not user.is_active:
        return []
    mine = Study.objects.filter(memberships__user=user, memberships__revoked_at=None)
    return list(mine.distinct().order_by("-created_at"))


def requires(ability: Ability) -> Callable[[View], View]:
    """Give a view the `Study` in place of the code in its address, to those who may.

    Everybody else gets the page of an address that does not exist: the outsider does not even learn
    that there is such a study.
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
            return view(request, found, *args, **kwargs)

        return guarded

    return decorate
