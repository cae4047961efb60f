"""Keep a handful of child processes alive, and leave none behind.

A child that dies is started again, after a pause that doubles with every quick death. A child that
hangs is found by its own `is_stuck` question and killed. On Linux the kernel ends the children when
the supervisor itself is killed, so that a second start never meets the first one's orphans.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

PR_SET_PDEATHSIG = 1
TICK_S = 0.2
# Whoever lived this long was well: its next death is answered at once.
HEALTHY_AFTER_S = 60.0
LONGEST_PAUSE_S = 30.0
STUCK_EVERY_S = 10.0
# Together below the ten seconds that init systems and people are patient for.
GRACE_S, SERVER_GRACE_S = 6.0, 3.0
LOG_BYTES, LOG_FILES = 5_000_000, 3

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass
class Child:
    """One process to keep alive.

    Attributes
    ----------
    name : str
        Names its log file, and the process in what the supervisor says.
    command : list of str
        Its command line.
    environment : dict
        Added to the supervisor's own.
    is_server : bool
        The others need it: it is started first and stopped last.
    is_ready : callable, optional
        Asked after the start; the installation is up when all of these are true.
    is_stuck : callable, optional
        Asked now and then with the seconds this child has lived; true gets it killed.
    stop_signal : int
        What asks it to end.
    """

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    is_server: bool = False
    is_ready: Callable[[], bool] | None = None
    is_stuck: Callable[[float], bool] | None = None
    stop_signal: int = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_after: float = 0.0
    quick_deaths: int = 0

    @property
    def is_running(self) -> bool:
        """The process exists."""
        return self.process is not None and self.process.poll() is None

    def start(self, logs: Path) -> None:
        """Start the process in a session of its own; its output goes to its log."""
        self.process = subprocess.Popen(  # noqa: S603 (command lines of our own, no shell)
            self.command,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
        self.started_at = time.monotonic()
        threading.Thread(
            target=_write_log, args=(self.process, logs / f"{self.name}.log"), daemon=True
        ).start()

    def signal(self, number: int) -> None:
        """Send a signal to the process and whatever it started."""
        if self.process is None or not self.is_running:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def answers(self) -> bool:
        """Tell whether the process does its work, as far as that can be asked."""
        return self.is_ready is None or self.is_ready()

    def pause_before_restart(self) -> float:
        """Return how long to wait before the next start, in seconds."""
        if time.monotonic() - self.started_at > HEALTHY_AFTER_S:
            self.quick_deaths = 0
        self.quick_deaths += 1
        return min(LONGEST_PAUSE_S, 0.5 * 2 ** (self.quick_deaths - 1))


class Supervisor:
    """Starts the children in order, keeps them alive, and stops them in reverse."""

    def __init__(self, children: list[Child], logs: Path, say: Callable[[str], None]) -> None:
        self.children = children
        self.logs = logs
        self.say = say
        self.is_stopping = False
        self.has_failed = False
        self._ask_after = 0.0

    def run(self, before_work: Callable[[], bool], when_up: Callable[[], None]) -> None:
        """Start everything and stay until a signal asks to stop.

        `before_work` is called when the servers are up; false from it ends the run. `when_up` is
        called when everything is up.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_on_signal)
        try:
            self._start([child for child in self.children if child.is_server])
            if not self.is_stopping and not before_work():
                self.has_failed = not self.is_stopping
                return
            self._start([child for child in self.children if not child.is_server])
            if not self.is_stopping:
                when_up()
            while not self.is_stopping:
                self.tend()
                time.sleep(TICK_S)
        finally:
            self.stop()

    def run_to_end(self, command: list[str]) -> int:
        """Run a program on this terminal until it ends or a signal asks to stop."""
        process = subprocess.Popen(command, preexec_fn=_die_with(os.getpid()))  # noqa: S603 (our own; no threads yet)
        while process.poll() is None:
            if self.is_stopping:
                process.kill()
            time.sleep(TICK_S)
        return process.returncode

    def tend(self) -> None:
        """Look after every child once."""
        now = time.monotonic()
        for child in self.children:
            if not child.is_running:
                self._revive(child, now)
        if now < self._ask_after:
            return
        self._ask_after = now + STUCK_EVERY_S
        for child in self.children:
            if child.is_running and child.is_stuck and child.is_stuck(now - child.started_at):
                self.say(f"{child.name} has not given a sign of life; starting it again")
                child.signal(signal.SIGKILL)

    def stop(self) -> None:
        """End every child: first those that work, then the servers they work with."""
        workers = [child for child in self.children if not child.is_server]
        servers = [child for child in reversed(self.children) if child.is_server]
        _end(workers, GRACE_S)
        _end(servers, SERVER_GRACE_S)

    def _start(self, children: list[Child]) -> None:
        for child in children:
            child.start(self.logs)
        for child in children:
            while child.is_running and not child.answers() and not self.is_stopping:
                time.sleep(TICK_S / 2)

    def _revive(self, child: Child, now: float) -> None:
        if child.start_after == 0.0:
            pause = child.pause_before_restart()
            child.start_after = now + pause
            code = child.process.returncode if child.process else None
            self.say(f"{child.name} ended ({_cause(code)}); starting it again in {pause:.1f} s")
        if now >= child.start_after:
            child.start_after = 0.0
            child.start(self.logs)

    def _stop_on_signal(self, number: int, _frame: object) -> None:
        if not self.is_stopping:
            self.say(f"stopping ({signal.Signals(number).name}) ...")
        self.is_stopping = True


def _end(children: list[Child], grace_s: float) -> None:
    """Ask the children to end; after `grace_s` seconds stop asking."""
    for child in children:
        child.signal(child.stop_signal)
    deadline = time.monotonic() + grace_s
    while any(child.is_running for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in children:
        child.signal(signal.SIGKILL)
    for child in children:
        if child.process is not None:
            child.process.wait()


def _cause(code: int | None) -> str:
    """Return why a process ended, in words."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _die_with(parent: int) -> Callable[[], None] | None:
    """Return what a new process runs first, so that it ends when the supervisor does."""
    if _libc is None:
        return None

    def set_death_signal() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return set_death_signal


def _write_log(process: subprocess.Popen[bytes], path: Path) -> None:
    """Copy the process's output into a log that never grows without bound."""
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, delay=True)
    for line in process.stdout or ():
        text = line.decode("utf-8", "replace").rstrip()
        handler.emit(logging.LogRecord("", logging.INFO, "", 0, "%s", (text,), None))
    handler.close()
