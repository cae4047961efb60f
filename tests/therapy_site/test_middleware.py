"""Rules for every request: sessions end, a second factor is asked for, nothing is cached."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings

from studies.models.user import User
from therapy_site.middleware import SEEN_AT, SIGNED_IN_AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator():
    user = User.objects.create_superuser("ada", password="a long enough password")
    TOTP.activate(user, generate_totp_secret())
    return user


def age_session(client, **seconds: float) -> None:
    session = client.session
    for name, age_s in seconds.items():
        session[name] = time.time() - age_s
    session.save()


def is_signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_a_member_of_staff_at_work_stays_signed_in(client, administrator):
    client.force_login(administrator)
    assert client.get("/admin/").status_code == 200
    age_session(client, **{SEEN_AT: settings.NOCTURNE_STAFF_IDLE_S - 60})
    assert client.get("/admin/").status_code == 200
    assert time.time() - client.session[SEEN_AT] < 60


def test_a_quarter_of_an_hour_of_silence_signs_out(client, administrator):
    client.force_login(administrator)
    client.get("/admin/")
    age_session(client, **{SEEN_AT: settings.NOCTURNE_STAFF_IDLE_S + 1})
    answer = client.get("/admin/")
    assert answer["Location"] == "/accounts/login/?next=/admin/"
    assert not is_signed_in(client)


def test_the_working_day_ends_whoever_is_busy(client, administrator):
    client.force_login(administrator)
    client.get("/admin/")
    age_session(client, **{SEEN_AT: 1, SIGNED_IN_AT: settings.NOCTURNE_STAFF_SESSION_S + 1})
    client.get("/admin/")
    assert not is_signed_in(client)


def test_staff_without_a_second_factor_can_only_set_one_up(client):
    client.force_login(User.objects.create_superuser("new", password="a long enough password"))
    assert client.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"
    assert client.get("/accounts/2fa/totp/activate/", follow=True).status_code == 200


def test_private_pages_are_kept_by_no_cache(client, administrator):
    client.force_login(administrator)
    assert "no-store" in client.get("/admin/")["Cache-Control"]


def test_every_page_carries_the_security_headers(client):
    for path in ("/accounts/login/", "/no-such-page", "/admin/"):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "object-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] in {"no-referrer", "same-origin"}
