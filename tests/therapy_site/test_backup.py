"""Backup and restore: what was there is there again, and nothing is replaced by accident."""

import json
import tarfile

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from studies.models.audit import AuditEntry
from studies.models.user import User
from studies.services.results.jobs import AT_WORK
from studies.services.results.runs import folder
from studies.services.trail.audit import SYSTEM, record, verify_chain
from therapy_site import dumps
from therapy_site.lock import take_lock

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a long enough password"


@pytest.fixture
def nights(settings, tmp_path):
    """A directory of nights with one night in it."""
    settings.NOCTURNE_NIGHTS = tmp_path / "nights"
    night = settings.NOCTURNE_NIGHTS / "ab" / "night.mp3"
    night.parent.mkdir(parents=True)
    night.write_bytes(b"forty minutes of quiet" * 1000)
    return night


@pytest.fixture
def ada(nights):
    """An administrator and three entries of the audit trail."""
    user = User.objects.create_superuser("ada", password=PASSWORD)
    for number in range(3):
        record(actor=SYSTEM, action="test", subject=user, new={"n": number}, reason="Grüße 你好")
    return user


@pytest.fixture
def archive(ada, tmp_path):
    file = tmp_path / "night.tar.gz"
    call_command("backup", str(file))
    return file


def wipe(nights) -> None:
    """Lose everything: tables, and nights."""
    dumps.erase()
    nights.unlink()


def test_what_was_lost_is_there_again(archive, ada, nights):
    before, sound = dumps.count_rows(), nights.read_bytes()
    wipe(nights)
    assert "studies_user" not in connection.introspection.table_names()
    call_command("restore", str(archive))
    assert dumps.count_rows() == before
    assert nights.read_bytes() == sound
    assert authenticate(username="ada", password=PASSWORD) == ada
    assert AuditEntry.objects.first().reason == "Grüße 你好"
    assert verify_chain("site") == []


def test_finished_analyses_are_there_again_and_half_done_ones_are_not(ada, tmp_path, settings):
    settings.NOCTURNE_VAR, settings.NOCTURNE_NIGHTS = tmp_path / "var", tmp_path / "nights"
    finished, half_done = (folder() / name / "results.json" for name in ("ab12", f"{AT_WORK}x"))
    for path in (finished, half_done):
        path.parent.mkdir()
        path.write_text('{"estimates": []}')
    file = tmp_path / "all.tar.gz"
    call_command("backup", str(file))
    finished.unlink()
    later = finished.with_name("later.json")
    later.touch()
    call_command("restore", str(file), force=True)
    assert finished.read_text() == '{"estimates": []}'
    assert not later.exists()
    with tarfile.open(file) as content:
        assert [name for name in content.getnames() if name.startswith("analyses")] == [
            "analyses/ab12/results.json"
        ]


def test_the_audit_trail_is_still_append_only_after_a_restore(archive, nights):
    wipe(nights)
    call_command("restore", str(archive))
    with pytest.raises(Exception, match="append-only"):
        AuditEntry.objects.update(reason="nothing happened")


def test_an_installation_in_use_is_not_replaced_by_accident(archive):
    User.objects.create_user("clara")
    with pytest.raises(CommandError, match="empty installation was expected"):
        call_command("restore", str(archive))
    assert User.objects.filter(username="clara").exists()


def test_force_replaces_what_came_after_the_backup(archive, nights):
    User.objects.create_user("clara")
    later = nights.with_name("later.mp3")
    later.touch()
    call_command("restore", str(archive), force=True)
    assert list(User.objects.values_list("username", flat=True)) == ["ada"]
    assert not later.exists()


def test_a_running_installation_is_not_touched(archive):
    run = settings.NOCTURNE_VAR / "run"
    with take_lock(run / "up.lock"), pytest.raises(CommandError, match="stopped installation"):
        call_command("restore", str(archive), force=True)


def test_an_archive_without_keys_holds_no_key(archive):
    with tarfile.open(archive) as content:
        assert not [name for name in content.getnames() if name.startswith("secrets")]
        everything = b"".join(
            content.extractfile(member).read() for member in content if member.isfile()
        )
    assert settings.NOCTURNE_IDENTITY_KEYS.encode() not in everything
    assert settings.NOCTURNE_ALLOCATION_KEY.encode() not in everything


def test_other_keys_are_noticed_before_anything_is_replaced(archive, nights, settings):
    settings.NOCTURNE_IDENTITY_KEYS = "another key altogether"
    with pytest.raises(CommandError, match="secrets directory"):
        call_command("restore", str(archive), force=True)
    assert nights.exists()


def test_an_archive_with_keys_brings_them_along(ada, tmp_path, settings):
    settings.NOCTURNE_SECRETS = tmp_path / "secrets"
    file = tmp_path / "with-keys.tar.gz"
    call_command("backup", str(file), with_secrets=True)
    kept, settings.NOCTURNE_IDENTITY_KEYS = settings.NOCTURNE_IDENTITY_KEYS, "another key"
    call_command("restore", str(file), force=True)
    written = settings.NOCTURNE_SECRETS / "identity_key"
    assert written.read_text() == kept
    assert written.stat().st_mode & 0o077 == 0


def test_only_its_owner_may_read_an_archive(archive):
    assert archive.stat().st_mode & 0o077 == 0


def test_checking_an_archive_changes_nothing(archive, nights, capsys):
    nights.unlink()
    User.objects.all().update(username="somebody")
    call_command("restore", str(archive), verify=True)
    assert "is whole" in capsys.readouterr().out
    assert not nights.exists()
    assert User.objects.filter(username="somebody").exists()


@pytest.mark.parametrize("keep", [0, 100, 0.5], ids=["empty", "cut-early", "cut-in-half"])
def test_a_damaged_archive_is_refused_before_anything_is_replaced(archive, nights, keep):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    with pytest.raises(CommandError, match="whole archive"):
        call_command("restore", str(archive), force=True)
    assert nights.exists()
    assert User.objects.exists()


def test_an_altered_night_is_noticed(archive, tmp_path, nights):
    folder = tmp_path / "unpacked"
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    (folder / "nights" / "ab" / "night.mp3").write_bytes(b"something else")
    with tarfile.open(archive, "w:gz") as content:
        content.add(folder, ".")
    with pytest.raises(CommandError, match="not what was backed up"):
        call_command("restore", str(archive), force=True)


def test_a_backup_of_another_kind_of_database_is_refused(archive, tmp_path):
    folder = tmp_path / "unpacked"
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["engine"] = "sqlite" if connection.vendor == "postgresql" else "postgresql"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(archive, "w:gz") as content:
        content.add(folder, ".")
    with pytest.raises(CommandError, match="Point DATABASE_URL"):
        call_command("restore", str(archive), force=True)


def test_an_older_archive_is_never_written_over(archive):
    with pytest.raises(CommandError, match="A new file was expected"):
        call_command("backup", str(archive))
