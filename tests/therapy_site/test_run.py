"""The one command: old Pythons, busy ports, full disks, builds and networks that fail."""

import ast
import importlib.machinery
import importlib.util
import shutil
import socket
import subprocess
import sys
from collections import namedtuple

import pytest
from django.conf import settings

SCRIPT = settings.BASE_DIR / "run"
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The script as a module, with an environment of its own to make."""
    monkeypatch.setenv("NOCTURNE_VENV", str(tmp_path / "venv"))
    monkeypatch.setenv("NOCTURNE_VAR", str(tmp_path / "var"))
    loader = importlib.machinery.SourceFileLoader("run", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(module)
    return module


def test_an_old_python_can_read_the_script():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


def test_an_old_python_hands_over_to_a_newer_one(run, monkeypatch):
    calls = []
    monkeypatch.setattr(run, "OLDEST", (9, 0))
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(run.os, "execv", lambda *call: calls.append(call))
    with pytest.raises(SystemExit):
        run.require_python(["demo"])
    assert calls[0] == ("/usr/bin/python3.14", ["/usr/bin/python3.14", str(SCRIPT), "demo"])


def test_an_old_python_alone_says_what_to_install(run, monkeypatch, capsys):
    monkeypatch.setattr(run, "OLDEST", (9, 0))
    monkeypatch.setattr(run.shutil, "which", lambda _name: None)
    with pytest.raises(SystemExit):
        run.require_python(["demo"])
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_busy_port_is_told_before_anything_is_installed(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        environment = {"NOCTURNE_VENV": str(tmp_path / "venv"), "NOCTURNE_PORT": port}
        finished = subprocess.run(
            [sys.executable, str(SCRIPT), "demo"], env=environment, capture_output=True, text=True
        )
    assert finished.returncode == 1
    assert f"127.0.0.1:{port} is taken" in finished.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none_is_told(run, monkeypatch, port):
    monkeypatch.setenv("NOCTURNE_PORT", port)
    with pytest.raises(run.Obstacle, match="NOCTURNE_PORT is a port number"):
        run.require_free_port()


def test_a_full_disk_is_told_before_anything_is_installed(run, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**10, 10**10, 10**8))
    with pytest.raises(run.Obstacle, match=r"got 0\.1 GB"):
        run.set_up(run.RUNTIME)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("error: command 'gcc' failed: No such file or directory", "C compiler"),
        ("ERROR: Failed building wheel for argon2-cffi-bindings", "C compiler"),
        ("NewConnectionError: Failed to establish a new connection\nERROR: No matching", "network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "lacks a pinned package"),
        ("something nobody has seen", "something nobody has seen"),
    ],
)
def test_what_pip_says_becomes_one_sentence(run, output, sentence):
    with pytest.raises(run.Obstacle, match=sentence):
        run.explain(output)


def test_the_environment_is_made_again_only_when_what_it_holds_changes(run, tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").touch()
    stamp = tmp_path / "venv" / "installed-requirements-dev.txt"
    stamp.write_text(run.stamp(run.TESTS))
    # What the tests need includes what the site needs: nothing is left to install.
    run.set_up(run.TESTS)
    run.set_up(run.RUNTIME)
    stamp.write_text("another time")
    assert not run.is_installed(run.TESTS)


def test_the_stamp_of_the_tests_covers_every_file_that_they_install_from(run):
    read, found = set(), [run.TESTS]
    while found:
        name = found.pop()
        read.add(name)
        lines = (settings.BASE_DIR / name).read_text().splitlines()
        found += [line.removeprefix("-r ") for line in lines if line.startswith("-r ")]
    assert set(run.INCLUDES[run.TESTS]) == read


def test_every_requirement_is_pinned():
    for name in (path.name for path in settings.BASE_DIR.glob("requirements*.txt")):
        for line in (settings.BASE_DIR / name).read_text().splitlines():
            assert not line or line.startswith(("#", "-r ")) or "==" in line, line


def test_an_unknown_word_shows_the_help(run, capsys):
    assert run.main(["dance"]) == 2
    assert "./run demo" in capsys.readouterr().out


def test_a_directory_that_holds_other_things_is_never_made_an_environment(run, tmp_path):
    treasure = tmp_path / "venv" / "treasure"
    treasure.parent.mkdir()
    treasure.touch()
    with pytest.raises(run.Obstacle, match="holds other things"):
        run.make_environment()
    assert treasure.exists()


def test_an_environment_that_cannot_be_made_leaves_nothing_and_says_what_to_do(
    run, tmp_path, monkeypatch
):
    monkeypatch.setattr(run, "has_ensurepip", lambda: False)
    monkeypatch.setattr(run.sys, "executable", "/bin/false")
    with pytest.raises(run.Obstacle, match="apt-get install -y python3-venv"):
        run.make_environment()
    assert not (tmp_path / "venv").exists()
