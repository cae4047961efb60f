"""The first account: made by command, with a password that will do, recorded."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from studies.models.audit import AuditEntry
from studies.models.user import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("a long enough password\n")
    return file


def test_the_administrator_can_sign_in_and_must_set_up_a_second_factor(client, password_file):
    call_command("create_administrator", "ada", password_file=password_file)
    client.post("/accounts/login/", {"login": "ada", "password": "a long enough password"})
    assert client.get("/admin/")["Location"] == "/accounts/2fa/totp/activate/"
    assert User.objects.get(username="ada").is_superuser


def test_making_an_account_is_recorded_without_its_password(password_file):
    call_command("create_administrator", "ada", password_file=password_file)
    entry = AuditEntry.objects.get(action="create_administrator")
    assert (entry.actor, entry.new) == ("system", {"username": "ada"})


def test_a_weak_password_makes_no_account(tmp_path):
    (tmp_path / "weak").write_text("password")
    with pytest.raises(CommandError, match="at least 12 characters"):
        call_command("create_administrator", "ada", password_file=tmp_path / "weak")
    assert not User.objects.exists()


def test_a_taken_name_says_how_to_go_on(password_file):
    call_command("create_administrator", "ada", password_file=password_file)
    with pytest.raises(CommandError, match="changepassword"):
        call_command("create_administrator", "ada", password_file=password_file)


def test_a_missing_password_file_is_named(tmp_path):
    with pytest.raises(CommandError, match="nothing-here"):
        call_command("create_administrator", "ada", password_file=tmp_path / "nothing-here")
