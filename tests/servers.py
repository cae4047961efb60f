"""Real servers for tests: PostgreSQL, Valkey, and a whole installation under its supervisor."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.test import override_settings

from studies import clock
from therapy_site.servers import CARELESS, Postgres, answers, valkey_command, wait_until

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
# An installation is up in about ten seconds on a quiet machine; this one may be busy.
UP_WITHIN_S, DOWN_WITHIN_S = 90.0, 20.0
PASSWORD = "a long enough password"
MAKE_STAFF = """
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from studies.models.user import User
user = User.objects.create_user({name!r}, password={password!r})
user.is_staff = user.is_superuser = {administrator!r}
user.save()
TOTP.activate(user, generate_totp_secret())
"""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL in `folder`; yield its DATABASE_URL."""
    server = Postgres(folder / "pg", folder / "pgs", CARELESS)
    server.prepare()
    with _running(server.command(), server.environment(), server.is_ready, signal.SIGINT):
        yield server.url


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """Run a Valkey in `folder`; yield its address for Celery."""
    file = folder / "valkey.sock"
    with _running(valkey_command(file, folder), dict(os.environ), lambda: answers(file)):
        yield f"redis+socket://{file}"


def find_chromium() -> str | None:
    """Return the path of a Chromium, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def set_to_morning(var: Path) -> None:
    """Begin tests at ten in the morning, UTC: what they say of a day holds at any hour."""
    now = datetime.now(UTC)  # Django may not be set up yet.
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0)
    ahead = (morning - now) % timedelta(days=1)
    (var / "clock").write_text(repr(ahead.total_seconds()), encoding="ascii")


class Installation:
    """A demonstration installation of its own: no study yet, a clock that can be moved.

    Attributes
    ----------
    base_url : str
        Where its web server answers, without a slash at the end.
    var : Path
        Its state directory: database, nights, logs.
    password : str
        Of every member of staff it makes.
    """

    password = PASSWORD

    def __init__(self, folder: Path, **environment: str) -> None:
        self.var = folder / "v"
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NOCTURNE_", "CELERY_", "DATABASE_", "DJANGO_"))
        }
        self.environment = {
            **inherited,
            "NOCTURNE_MODE": "demo",
            "NOCTURNE_VAR": str(self.var),
            "NOCTURNE_PORT": str(self.port),
            "OMP_NUM_THREADS": "1",
            # A night that fails shall be seen to fail.
            "NOCTURNE_POOL_MIXES": "0",
            **environment,
        }
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Prepare the database, start the supervisor and wait until all parts are healthy."""
        self.manage("prepare")
        set_to_morning(self.var)
        self.start_again()

    def start_again(self) -> None:
        """Start the supervisor and wait until all parts are healthy."""
        self.supervisor = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=self.environment,
            stdout=(self.var / "supervisor.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + UP_WITHIN_S
        while self.health()[0] != 200:
            if self.supervisor.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The installation did not come up.\n{self.logs()}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop it the way a person would."""
        if self.supervisor is None:
            return
        self.supervisor.send_signal(signal.SIGINT)
        try:
            self.supervisor.wait(DOWN_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()
            raise

    def health(self) -> tuple[int, dict[str, str]]:
        """Return what `/healthz` says; status 0 when nothing answers."""
        try:
            with urllib.request.urlopen(f"{self.base_url}/healthz", timeout=5) as answer:  # noqa: S310 (our own address)
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
        except OSError:
            return 0, {}

    def manage(self, *arguments: str) -> str:
        """Run a management command in it; return what it printed."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise RuntimeError(f"manage.py {' '.join(arguments)}\n{finished.stderr}")
        return finished.stdout

    def make_staff(self, name: str, *, administrator: bool = False) -> None:
        """Make a staff account with a second factor; its code is shown where it is asked for."""
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            MAKE_STAFF.format(name=name, password=PASSWORD, administrator=administrator),
        )

    def move_clock(self, **by: float) -> datetime:
        """Move the trial's clock, e.g. `days=28`, for all of its processes."""
        with override_settings(NOCTURNE_MOVABLE_CLOCK=True, NOCTURNE_CLOCK_FILE=self.var / "clock"):
            return clock.move(timedelta(**by))

    def logs(self) -> str:
        """Return the ends of all logs, for a failure's message."""
        files = [self.var / "supervisor.log", *sorted((self.var / "logs").glob("*.log"))]
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-2000:]}"
            for file in files
            if file.exists()
        )


@contextmanager
def _running(
    command: list[str],
    environment: dict[str, str],
    ready: object,
    stop_signal: int = signal.SIGTERM,
) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(ready, process, Path(command[0]).name)
        yield
    finally:
        process.send_signal(stop_signal)
        process.wait(10)
