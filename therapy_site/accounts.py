"""Staff accounts: made by an administrator, never by signing up; each sign-in is recorded."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from studies.models.user import User
from studies.services.trail.audit import Actor, record, staff

# What is typed as a name may be a password: a name that no account has is not written down.
NOBODY = Actor("unknown account", role="staff")


class StaffAccountAdapter(DefaultAccountAdapter):
    """Accounts are given, not taken; who came in, and who did not, is in the site's trail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 (allauth's signature)
        """Nobody can sign up."""
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, and record it."""
        super().login(request, user)
        record(actor=staff(user), action="sign_in", subject=user)

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Record that somebody tried to sign in and could not."""
        super().authentication_failed(request, **credentials)
        user = User.objects.filter(username=credentials.get("username", "")).first()
        record(
            actor=NOBODY,
            action="fail_to_sign_in",
            subject=user or User(),
            new={"account": user.get_username() if user else ""},
        )
