"""What only a demonstration may do: tell the second factor's code to whoever signs in."""

import time

from allauth.account.internal.stagekit import get_pending_stage
from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import cache
from django.http import HttpRequest

CODE_PAGES = {"mfa_authenticate", "mfa_reauthenticate", "sign", "break_blind", "trail_review"}
# A code works once. A second sign-in within half a minute is shown the next one, which the
# demonstration's tolerance accepts early.
STEPS = (0, 1, -1)


def code_for(request: HttpRequest) -> str:
    """Return the code the person on this page is asked for, or nothing on other pages."""
    match = request.resolver_match
    if match is None or match.url_name not in CODE_PAGES:
        return ""
    stage = get_pending_stage(request)
    user = stage.login.user if stage else request.user
    return current_code(user) if user.pk else ""


def current_code(user: AbstractBaseUser) -> str:
    """Return a code that the user's authenticator app would show now and that is still unused."""
    authenticator = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if authenticator is None:
        return ""
    secret = decrypt(authenticator.data["secret"])
    counter = int(time.time()) // app_settings.TOTP_PERIOD
    codes = [format_hotp_value(hotp_value(secret, counter + step)) for step in STEPS]
    unused = [code for code in codes if not _was_used(user, code)]
    return unused[0] if unused else codes[0]


def _was_used(user: AbstractBaseUser, code: str) -> bool:
    """Tell whether allauth has marked the code as used (allauth/mfa/totp/internal/auth.py)."""
    return cache.get(f"allauth.mfa.totp.used?user={user.pk}&code={code}") is not None
