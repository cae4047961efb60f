"""Run the whole installation under one supervisor: servers, web, workers, scheduler."""

import os
import re
import shutil
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from generator.models.playlist import WorkerHeartbeat
from therapy_site import dumps
from therapy_site.environment import private_directory
from therapy_site.lock import take_lock
from therapy_site.servers import (
    Postgres,
    ServerFailed,
    ServerMissing,
    answers,
    valkey_command,
)
from therapy_site.supervision import Child, Supervisor

# A worker's first heartbeat comes after its imports; a busy machine takes its time over those.
STUCK_AFTER_S, FIRST_HEARTBEAT_S = 60, 120


class Command(BaseCommand):
    """Start everything, keep it alive, stop it on Ctrl-C or SIGTERM."""

    help = "Run broker, web server, workers and scheduler under one supervisor until Ctrl-C."
    # The database may only come up with the supervisor.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Let the caller choose how many workers run, and whether to prepare first."""
        parser.add_argument(
            "--workers",
            type=int,
            default=settings.NOCTURNE_WORKERS,
            help="render workers (default: NOCTURNE_WORKERS, else 1)",
        )
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="first migrate the database and, in demo mode, prepare the demonstration",
        )

    def handle(self, *, workers: int, prepare: bool, **_options: object) -> None:
        """Check what can be checked, then supervise."""
        os.umask(0o077)
        os.chdir(settings.BASE_DIR)
        require_free_port(settings.NOCTURNE_BIND, settings.NOCTURNE_PORT)
        lock = take_lock(private_directory(settings.NOCTURNE_VAR / "run") / "up.lock")
        logs = private_directory(settings.NOCTURNE_VAR / "logs")
        servers, queue = self._servers()
        working = [web(queue), *renderers(workers, queue), scheduler(queue)]
        supervisor = Supervisor([*servers, *working], logs, self._say)
        supervisor.run(
            before_work=lambda: not prepare or self._prepare(supervisor), when_up=self._announce
        )
        lock.close()
        if supervisor.has_failed:
            raise CommandError("The preparation above failed. Nothing is left running.")

    def _servers(self) -> tuple[list[Child], dict[str, str]]:
        """Return the servers to run along, and what the others must know to find the queue."""
        servers = []
        if settings.NOCTURNE_POSTGRES:
            servers.append(postgres())
        if os.environ.get("CELERY_BROKER_URL"):
            return servers, {}
        try:
            servers.append(broker())
        except ServerMissing as missing:
            self._say(f"{missing} Until then the queue lies in files, which is slower.")
            return servers, {"CELERY_BROKER_URL": "filesystem://"}
        return servers, {}

    def _prepare(self, supervisor: Supervisor) -> bool:
        """Prepare here what is quick, and the demonstration, which needs torch, apart."""
        is_demonstration = settings.NOCTURNE_MODE == "demo"
        unfinished = settings.NOCTURNE_VAR / "demo-unfinished"
        if is_demonstration and unfinished.exists():
            self._say("preparing the demonstration was interrupted; beginning afresh ...")
            dumps.erase()
            shutil.rmtree(settings.NOCTURNE_NIGHTS, ignore_errors=True)
        call_command("prepare", stdout=self.stdout)
        connections.close_all()
        if not is_demonstration or self._sign_ins.exists():
            return True
        self._say("preparing the demonstration; this takes about a minute, once ...")
        unfinished.touch()
        if supervisor.run_to_end([sys.executable, "manage.py", "demo_study"]) != 0:
            return False
        unfinished.unlink()
        return True

    @property
    def _sign_ins(self) -> Path:
        """The last thing that preparing the demonstration writes."""
        return settings.NOCTURNE_VAR / "demo-sign-ins.txt"

    def _announce(self) -> None:
        is_here = settings.NOCTURNE_BIND in {"127.0.0.1", "0.0.0.0"}  # noqa: S104 (compared, not bound)
        host = "localhost" if is_here else settings.NOCTURNE_BIND
        self.stdout.write(
            f"\nNocturne ({settings.NOCTURNE_MODE}) runs at http://{host}:{settings.NOCTURNE_PORT}/"
        )
        if settings.NOCTURNE_MODE == "demo" and self._sign_ins.exists():
            self.stdout.write(sign_ins_at(settings.NOCTURNE_PORT, self._sign_ins))
        self.stdout.write(f"State and logs: {settings.NOCTURNE_VAR}. Ctrl-C stops everything.\n")
        self.stdout.flush()

    def _say(self, line: str) -> None:
        self.stdout.write(f"{timezone.now():%H:%M:%S} {line}")
        self.stdout.flush()


def sign_ins_at(port: int, file: Path) -> str:
    """Return the demonstration's sign-ins; file and links follow a port that has changed."""
    written = file.read_text(encoding="utf-8")
    current = re.sub(r"http://localhost:\d+/", f"http://localhost:{port}/", written)
    if current != written:
        file.write_text(current, encoding="utf-8")
    return current


def require_free_port(host: str, port: int) -> None:
    """Refuse to start while something else listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"A free port was expected, {host}:{port} is taken or forbidden "
                f"({error.strerror}). Choose another with NOCTURNE_PORT."
            ) from error


def postgres() -> Child:
    """Return the database, for an installation that brings its own PostgreSQL."""
    server = Postgres(settings.NOCTURNE_VAR / "postgres", settings.NOCTURNE_POSTGRES_SOCKETS)
    try:
        server.prepare()
        command = server.command()
    except (ServerMissing, ServerFailed) as error:
        raise CommandError(str(error)) from error
    return Child(
        "postgres",
        command,
        server.environment(),
        is_server=True,
        is_ready=server.is_ready,
        stop_signal=Postgres.STOP_SIGNAL,
    )


def broker() -> Child:
    """Return the queue's server, on a private socket."""
    data = private_directory(settings.NOCTURNE_VAR / "broker")
    file = settings.NOCTURNE_BROKER_SOCKET
    private_directory(file.parent)
    return Child(
        "broker", valkey_command(file, data), is_server=True, is_ready=lambda: answers(file)
    )


def web(environment: dict[str, str]) -> Child:
    """Return the web server: one of threads, which a slow listener does not block."""
    host, port = settings.NOCTURNE_BIND, settings.NOCTURNE_PORT
    command = [sys.executable, "-m", "waitress", "--threads=8", f"--listen={host}:{port}"]
    if settings.NOCTURNE_HTTPS:
        command += [
            f"--trusted-proxy={settings.NOCTURNE_TRUSTED_PROXY}",
            "--trusted-proxy-headers=x-forwarded-proto x-forwarded-host x-forwarded-for",
        ]
    return Child(
        "web",
        [*command, "therapy_site.wsgi:application"],
        environment,
        is_ready=lambda: listens(host, port),
    )


def listens(host: str, port: int) -> bool:
    """Tell whether something accepts connections there."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((host, port)) == 0


def renderers(count: int, environment: dict[str, str]) -> list[Child]:
    """Return the workers that compose and render; together they use each core once."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = str(max(1, (cores or 1) // count))
    environment = {**environment, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    queues = settings.NOCTURNE_QUEUES.split() or ["cpu"]
    children = []
    for number in range(1, count + 1):
        node = f"worker-{number}@{socket.gethostname()}"
        command = celery(
            *("worker", f"--hostname={node}", f"--queues={queues[min(number, len(queues)) - 1]}"),
            *("--pool=threads", "--concurrency=1"),
            *("--without-gossip", "--without-mingle", "--loglevel=INFO"),
        )
        watch = heartbeat_watch(node)
        children.append(Child(f"worker-{number}", command, environment, is_stuck=watch))
    return children


def scheduler(environment: dict[str, str]) -> Child:
    """Return the one process that sends the recurring tasks."""
    return Child("scheduler", celery("beat", "--loglevel=WARNING", "--pidfile="), environment)


def celery(*arguments: str) -> list[str]:
    """Return a Celery command line of this site."""
    return [sys.executable, "-m", "celery", "-A", "therapy_site", *arguments]


def heartbeat_watch(name: str) -> Callable[[float], bool]:
    """Return the question whether the worker `name` has stopped giving signs of life."""

    def is_stuck(age_s: float) -> bool:
        if age_s < FIRST_HEARTBEAT_S:
            return False
        limit = timezone.now() - timedelta(seconds=STUCK_AFTER_S)
        try:
            row = WorkerHeartbeat.objects.filter(name=name).order_by("pk").first()
        except DatabaseError:
            # An unreachable database is no reason to kill a worker; connect anew next time.
            connection.close()
            return False
        return row is not None and row.seen_at < limit

    return is_stuck
