"""Preparing: what an installation must not be started on."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from studies.models.study import Study

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def var(settings, tmp_path):
    settings.NOCTURNE_VAR = tmp_path
    return tmp_path


def test_preparing_again_changes_nothing(var):
    call_command("prepare")
    call_command("prepare")
    assert (var / "mode").read_text() == "test"


@pytest.mark.parametrize(("first", "second"), [("demo", "real"), ("real", "demo")])
def test_real_and_synthetic_people_never_share_a_state_directory(var, settings, first, second):
    (var / "mode").write_text(first)
    settings.NOCTURNE_MODE = second
    with pytest.raises(CommandError, match="set NOCTURNE_VAR to another directory"):
        call_command("prepare")


def test_a_real_installation_refuses_a_database_with_synthetic_people(var, settings):
    Study.objects.create(
        code="DEMO",
        title="Demonstration",
        protocol={},
        zone="UTC",
        is_synthetic=True,
        created_at=timezone.now(),
    )
    settings.NOCTURNE_MODE = "real"
    with pytest.raises(CommandError, match="holds a demonstration"):
        call_command("prepare")


def test_a_full_disk_is_named_in_one_sentence(var, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 12_000_000))
    with pytest.raises(CommandError, match=r"got 12 MB\. Free some space"):
        call_command("prepare")


def test_a_command_on_an_empty_state_directory_says_what_to_run(tmp_path):
    environment = {**os.environ, "NOCTURNE_MODE": "demo", "NOCTURNE_VAR": str(tmp_path)}
    for name in ("DATABASE_URL", "NOCTURNE_POSTGRES", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    command = [sys.executable, site.BASE_DIR / "manage.py", "verify_audit"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Run ./run manage prepare first" in ended.stderr
    assert "Traceback" not in ended.stderr
