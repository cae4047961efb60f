"""The second factor's code is told in a demonstration, and nowhere else."""

import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from studies.models.user import User
from therapy_site.demonstration import current_code

pytestmark = pytest.mark.django_db
PASSWORD = "quiet evening music"


@pytest.fixture
def clinician():
    user = User.objects.create_user("clara", password=PASSWORD)
    TOTP.activate(user, generate_totp_secret())
    return user


def sign_in(client, clinician) -> str:
    """Give name and password; return the page that asks for the code."""
    answer = client.post(
        "/accounts/login/", {"login": clinician.username, "password": PASSWORD}, follow=True
    )
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/authenticate/"
    return answer.content.decode()


def test_a_demonstration_tells_the_code_and_takes_it(client, clinician, settings):
    settings.NOCTURNE_MODE = "demo"
    code = re.search(r"\b\d{6}\b", sign_in(client, clinician)).group()
    answer = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(clinician.pk)


@pytest.mark.parametrize("mode", ["real", "test"])
def test_nothing_else_tells_the_code(client, clinician, settings, mode):
    settings.NOCTURNE_MODE = mode
    page = sign_in(client, clinician)
    assert current_code(clinician) not in page


def test_a_code_that_was_used_is_not_told_again(client, clinician, settings):
    settings.NOCTURNE_MODE = "demo"
    used = current_code(clinician)
    totp = TOTP(clinician.authenticator_set.get())
    assert totp.validate_code(used)
    assert not totp.validate_code(used)
    assert current_code(clinician) != used


def test_other_pages_of_a_demonstration_tell_nothing(client, clinician, settings):
    settings.NOCTURNE_MODE = "demo"
    assert client.get("/accounts/login/").context["demo_totp_code"] == ""
