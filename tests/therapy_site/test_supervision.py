"""The supervisor: whoever dies comes back, whoever hangs is killed, nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from therapy_site.supervision import Child, Supervisor

PATIENCE_S = 30.0
SLEEPER = [sys.executable, "-S", "-c", "import time; print('here', flush=True); time.sleep(600)"]
STUBBORN = [
    *(sys.executable, "-S", "-c"),
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True);"
    "time.sleep(600)",
]
# A supervisor in a process of its own: what happens to its child when it is killed?
SUPERVISE = """
import sys
from pathlib import Path
from therapy_site.supervision import Child, Supervisor
child = Child("sleeper", [sys.executable, "-S", "-c", "import time; time.sleep(600)"])
Supervisor([child], Path(sys.argv[1]), print).run(
    before_work=lambda: True, when_up=lambda: print(child.process.pid, flush=True)
)
"""


def until(claim, supervisor=None):
    """Wait until the claim holds, tending the children meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, "it did not happen in time"
        if supervisor is not None:
            supervisor.tend()
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def supervise(tmp_path):
    """Start children under a supervisor that this test tends by hand."""
    started = []

    def start(*children):
        said = []
        supervisor = Supervisor(list(children), tmp_path, said.append)
        supervisor.said = said
        for child in children:
            child.start(tmp_path)
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def test_a_child_that_dies_is_started_again(supervise):
    child = Child("sleeper", SLEEPER)
    supervisor = supervise(child)
    first = child.process.pid
    child.process.kill()
    until(lambda: child.is_running and child.process.pid != first, supervisor)
    assert "sleeper ended (SIGKILL)" in supervisor.said[0]


def test_each_quick_death_doubles_the_pause_up_to_a_limit():
    child = Child("sleeper", SLEEPER, started_at=time.monotonic())
    pauses = [child.pause_before_restart() for _ in range(9)]
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == 30.0


def test_a_long_life_makes_the_next_death_a_first_one():
    child = Child("sleeper", SLEEPER, started_at=time.monotonic() - 61, quick_deaths=7)
    assert child.pause_before_restart() == 0.5


def test_a_child_that_hangs_is_killed_and_started_again(supervise):
    hangs = [True]
    child = Child("sleeper", SLEEPER, is_stuck=lambda _age_s: hangs.pop() if hangs else False)
    supervisor = supervise(child)
    first = child.process.pid
    until(lambda: child.is_running and child.process.pid != first, supervisor)
    assert "has not given a sign of life" in supervisor.said[0]


def test_stopping_ends_even_a_child_that_does_not_listen(supervise, monkeypatch, tmp_path):
    monkeypatch.setattr("therapy_site.supervision.GRACE_S", 0.2)
    child = Child("stubborn", STUBBORN)
    supervisor = supervise(child)
    until(lambda: (tmp_path / "stubborn.log").exists())
    supervisor.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_servers_are_stopped_after_those_who_need_them(supervise, tmp_path):
    server = Child("server", SLEEPER, is_server=True)
    worker = Child("worker", STUBBORN)
    supervisor = supervise(server, worker)
    until(lambda: (tmp_path / "worker.log").exists())
    ends = []
    for child in (server, worker):
        child.process.wait = _noting(child, ends)
    supervisor.stop()
    assert ends == ["worker", "server"]


def _noting(child, ends):
    wait = child.process.wait

    def noted(*arguments):
        ends.append(child.name)
        return wait(*arguments)

    return noted


def test_what_a_child_says_lies_in_its_log(supervise, tmp_path):
    supervise(Child("sleeper", SLEEPER))
    log = tmp_path / "sleeper.log"
    until(lambda: log.exists() and log.read_text() == "here\n")


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's own")
def test_killing_the_supervisor_leaves_no_orphan(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        orphan = int(supervisor.stdout.readline())
        assert is_alive(orphan)
        os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not is_alive(orphan))
