"""A whole installation under its supervisor: up, hurt, still up, down."""

import os
import signal
import sqlite3
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers import Installation, free_port

pytestmark = [pytest.mark.services, pytest.mark.xdist_group("installation")]
PATIENCE_S = 90.0
STOPS_WITHIN_S = 10.0


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """An installation that only these tests hurt."""
    running = Installation(Path(tmp_path_factory.mktemp("i")))
    running.start()
    yield running
    running.stop()


def processes(installation) -> dict[str, int]:
    """Return the processes below the supervisor by what they are."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if parent == installation.supervisor.pid:
            for name in ("valkey-server", "waitress", "worker", "beat"):
                if name in words[:6] or name in words[0]:
                    found[name] = int(folder.name)
    return found


def until(claim) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_all_four_parts_run_and_are_healthy(installation):
    assert set(processes(installation)) == {"valkey-server", "waitress", "worker", "beat"}
    assert installation.health() == (
        200,
        {"web": "ok", "database": "ok", "broker": "ok", "worker": "ok"},
    )


def test_what_it_writes_is_its_owners_only(installation):
    secrets = installation.var / "secrets"
    for path in [installation.var, secrets, *secrets.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("part", ["valkey-server", "worker", "waitress"])
def test_a_part_that_is_killed_comes_back(installation, part):
    first = processes(installation)[part]
    os.kill(first, signal.SIGKILL)
    until(lambda: processes(installation).get(part, first) != first)
    until(lambda: installation.health()[0] == 200)


def test_the_scheduler_keeps_the_calendar_without_being_asked(installation):
    log = installation.var / "logs" / "worker-1.log"
    until(lambda: "studies.keep_calendar" in log.read_text())
    assert "unregistered task" not in log.read_text()


def test_a_second_start_on_the_same_state_is_refused(installation):
    environment = {**installation.environment, "NOCTURNE_PORT": str(free_port())}
    with pytest.raises(RuntimeError, match="stopped installation was expected"):
        _manage(environment, "up")


def test_a_backup_is_taken_while_it_runs(installation, tmp_path):
    file = tmp_path / "night.tar.gz"
    installation.manage("backup", str(file))
    with tarfile.open(file) as content:
        assert {"manifest.json", "database"} <= set(content.getnames())


def test_it_stops_within_ten_seconds_and_leaves_nobody_behind(installation):
    children = processes(installation)
    began = time.monotonic()
    installation.supervisor.send_signal(signal.SIGTERM)
    installation.supervisor.wait(30)
    assert time.monotonic() - began < STOPS_WITHIN_S
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]


def test_its_state_directory_can_be_moved_while_it_is_stopped(installation, tmp_path_factory):
    new_home = Path(tmp_path_factory.mktemp("j")) / "v"
    installation.var.rename(new_home)
    installation.var = new_home
    installation.environment["NOCTURNE_VAR"] = str(new_home)
    installation.start_again()
    assert installation.health()[0] == 200
    with closing(sqlite3.connect(new_home / "db.sqlite3")) as database:
        assert database.execute("SELECT COUNT(*) FROM django_migrations").fetchone()[0] > 0


def _manage(environment: dict[str, str], *arguments: str) -> None:
    other = Installation(Path(environment["NOCTURNE_VAR"]).parent)
    other.environment = environment
    other.manage(*arguments)
