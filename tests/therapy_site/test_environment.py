"""Reading the environment: what was expected, what came, what to do."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from therapy_site.environment import (
    SOCKET_PATH_LIMIT,
    env_bool,
    env_choice,
    env_int,
    env_text,
    private_directory,
    secret_from_file,
    socket_path,
)


def test_a_variable_can_lie_in_a_file(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("A_KEY_FILE", str(tmp_path / "key"))
    assert env_text("A_KEY") == "from the file"


@pytest.mark.parametrize(("raw", "value"), [("1", True), ("Yes", True), ("0", False), ("", False)])
def test_a_truth_value_is_read(monkeypatch, raw, value):
    monkeypatch.setenv("A_SWITCH", raw)
    assert env_bool("A_SWITCH") is value


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (env_bool, "perhaps"),
        (lambda name: env_int(name, 1), "many"),
        (lambda name: env_choice(name, "real", ("real", "demo")), "play"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_its_name(monkeypatch, read, raw):
    monkeypatch.setenv("A_VALUE", raw)
    with pytest.raises(ImproperlyConfigured, match=f"A_VALUE .*'{raw}'"):
        read("A_VALUE")


def test_a_secret_is_made_once_and_is_its_owners_only(tmp_path):
    first = secret_from_file(tmp_path / "s" / "key")
    assert secret_from_file(tmp_path / "s" / "key") == first
    assert len(first) >= 43  # 256 bits or more
    assert (tmp_path / "s" / "key").stat().st_mode & 0o077 == 0


def test_a_directory_that_cannot_be_made_says_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="Set NOCTURNE_VAR"):
        private_directory(tmp_path / "file" / "var")


def test_a_socket_lies_in_the_state_directory_while_its_path_is_short(tmp_path):
    assert socket_path(tmp_path, "s") == tmp_path / "run" / "s"


def test_a_deep_state_directory_gets_a_short_private_socket_directory(tmp_path):
    path = socket_path(tmp_path / ("deep" * 30), "broker.sock")
    assert len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
    assert path.parent.stat().st_mode & 0o077 == 0
    assert path != socket_path(tmp_path / ("deeq" * 30), "broker.sock")
    path.parent.rmdir()


def test_a_socket_directory_laid_out_by_somebody_else_is_refused(tmp_path):
    var = tmp_path / ("other" * 30)
    folder = socket_path(var, "s").parent
    folder.chmod(0o777)
    with pytest.raises(ImproperlyConfigured, match="private directory of this account"):
        socket_path(var, "s")
    folder.rmdir()


def test_a_setting_that_makes_no_sense_is_one_sentence_and_no_traceback(tmp_path):
    finished = subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "check"],
        env={"NOCTURNE_VAR": str(tmp_path), "NOCTURNE_MODE": "play"},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 1
    assert finished.stderr.strip() == "NOCTURNE_MODE is one of real, demo, test, got 'play'."
