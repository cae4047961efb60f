"""The administration: behind the second factor, and a front page that shows how things are."""

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils import timezone

from generator.models.playlist import FailureCode, Playlist, PlaylistState, WorkerHeartbeat
from studies.models.study import Study
from studies.models.user import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client):
    user = User.objects.create_superuser("ada", password="a long enough password")
    TOTP.activate(user, generate_totp_secret())
    client.force_login(user)
    return user


def test_the_administration_signs_in_where_everybody_does(client):
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    assert client.post("/admin/login/", {"username": "ada", "password": "x"}).status_code == 302


def test_staff_who_are_not_administrators_are_refused(client):
    user = User.objects.create_user("clara", password="a long enough password")
    TOTP.activate(user, generate_totp_secret())
    client.force_login(user)
    assert client.get("/admin/").status_code == 302
    assert client.get("/admin/login/").status_code == 403


def test_an_empty_installation_says_what_is_missing(client, administrator):
    page = client.get("/admin/").content.decode()
    assert "There is no study yet" in page
    assert "No worker has given a sign of life yet" in page


def test_the_front_page_shows_studies_queue_workers_and_failures(client, administrator):
    now = timezone.now()
    Study.objects.create(code="SLEEP-24", title="Sleep", protocol={}, zone="UTC", created_at=now)
    Playlist.objects.create(key="a", brief={}, requested_at=now - timedelta(hours=3))
    Playlist.objects.create(
        key="b",
        brief={},
        requested_at=now,
        finished_at=now,
        state=PlaylistState.FAILED,
        failure_code=FailureCode.values[0],
    )
    WorkerHeartbeat.objects.create(
        name="worker-1@here", seen_at=now, started_at=now, device="cpu", queues="cpu"
    )
    page = client.get("/admin/").content.decode()
    for text in ("SLEEP-24", "3 hours", "worker-1@here", "Latest failures", "0 of 0"):
        assert text in page


def test_a_second_factor_can_be_removed_and_its_secret_never_read(client, administrator):
    clara = User.objects.create_user("clara", password="a long enough password")
    secret = generate_totp_secret()
    factor = TOTP.activate(clara, secret).instance
    address = f"/admin/mfa/authenticator/{factor.pk}"
    page = client.get(f"{address}/change/").content.decode()
    assert "clara" in page
    assert secret not in page
    assert client.post(f"{address}/change/", {"type": "webauthn"}).status_code == 403
    client.post(f"{address}/delete/", {"post": "yes"})
    assert not clara.authenticator_set.exists()


def test_the_administration_offers_nothing_that_has_no_effect(client, administrator):
    page = client.get("/admin/").content.decode()
    assert "/admin/auth/group/" not in page
    assert "/admin/account/emailaddress/" not in page


def test_a_demonstration_says_so_in_the_administration_too(client, administrator, settings):
    for mode, n in (("demo", 1), ("real", 0)):
        settings.NOCTURNE_MODE = mode
        page = client.get("/admin/studies/participant/").content.decode()
        assert page.count("Synthetic people: demonstration") == n
