"""Real workers on a real broker, killed in the middle of real renders.

The installation is the smallest one that renders: a database file, a Valkey, workers. What the
scheduler would do every ten seconds, the tests do while they wait.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerUnreachable

from generator.engine.brief import Brief
from generator.models.playlist import FINAL
from generator.services.requesting import SWEEP_PLAYLISTS
from tests.generator.quick import brief
from tests.servers import ROOT, valkey

pytestmark = pytest.mark.services

# Long enough for a worker that shares its core with the rest of the suite to be heard of in time.
LEASE_S = 10
# A worker starts in ten seconds and renders half a minute in five on a quiet machine; we wait this
# long, on any machine, for anything at all to happen.
PATIENCE_S = 300.0
REQUEST = """
from generator.engine.brief import Brief
from generator.services.requesting import request_playlist
for number, text in enumerate({texts!r}):
    request_playlist(brief=Brief.from_json(text), key=f"night {{number}}")
"""
RETRY = """
from generator.models.playlist import Playlist, PlaylistState
from generator.services.requesting import retry_playlist
for playlist in Playlist.objects.filter(state=PlaylistState.FAILED):
    assert playlist.failure_code == "worker_lost", playlist.failure
    retry_playlist(playlist)
"""


class Place:
    """One installation's state directory and the processes that work in it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.nights = var / "nights"
        self.broker_socket = var / "valkey.sock"
        self.environment = {
            **{n: v for n, v in os.environ.items() if n != "DATABASE_URL"},
            "NOCTURNE_MODE": "test",
            "NOCTURNE_VAR": str(var),
            "NOCTURNE_LEASE_S": str(LEASE_S),
            "CELERY_BROKER_URL": f"redis+socket://{self.broker_socket}",
        }
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.lost_leases: set[str] = set()
        self._scheduler = Celery(set_as_current=False)

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
        )

    def request(self, briefs: list[Brief]) -> None:
        texts = [brief.to_json() for brief in briefs]
        self.manage("shell", "--no-imports", "-c", REQUEST.format(texts=texts))

    def start_worker(self, name: str, queues: str = "cpu") -> None:
        self.workers[name] = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "therapy_site", "worker"),
                *("-P", "threads", "-c", "1", "-Q", queues, "-n", f"{name}@here"),
                *("--without-gossip", "--without-mingle"),
            ],
            cwd=ROOT,
            env=self.environment,
            stdout=(self.var / f"{name}.log").open("ab"),
            stderr=subprocess.STDOUT,
        )

    def kill(self, name: str) -> None:
        worker = self.workers.pop(name)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.lost_leases.update(
            lease
            for holder, lease in self.rows("SELECT worker, lease FROM generator_playlist")
            if lease and holder.startswith(f"{name}@")
        )

    def stop_workers(self) -> None:
        for worker in self.workers.values():
            worker.terminate()
        for worker in self.workers.values():
            worker.wait(timeout=PATIENCE_S)
        self.workers.clear()

    def sweep(self) -> None:
        """Do what the scheduler does; a broker that is down is its daily bread."""
        try:
            with self._broker() as connection:
                connection.ensure_connection(max_retries=0)
                self._scheduler.send_task(
                    SWEEP_PLAYLISTS, queue="cpu", connection=connection, retry=False, expires=5
                )
        except (BrokerUnreachable, OSError):
            return

    def _broker(self) -> Connection:
        return Connection(
            self.environment["CELERY_BROKER_URL"],
            transport_options={"global_keyprefix": "nocturne:"},
        )

    def rows(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.var / "db.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()

    def states(self) -> Counter[str]:
        return Counter(state for (state,) in self.rows("SELECT state FROM generator_playlist"))

    def busy_workers(self) -> list[str]:
        """Return who renders, without those whose work is only not yet known to be lost."""
        held = self.rows(
            "SELECT worker, lease FROM generator_playlist WHERE lease IS NOT NULL ORDER BY worker"
        )
        return [worker.split("@")[0] for worker, lease in held if lease not in self.lost_leases]

    def is_done(self) -> bool:
        return self.states().keys() <= set(FINAL)

    def wait_until(self, claim: Callable[[], object], every_s: float = 0.05) -> None:
        """Wait for something to become true, sweeping every second."""
        seen, changed_at, swept_at = None, time.monotonic(), 0.0
        while not claim():
            now = time.monotonic()
            rows = self.rows("SELECT state, attempt FROM generator_playlist")
            if rows != seen:
                seen, changed_at = rows, now
            if now - changed_at > PATIENCE_S:
                pytest.fail(f"nothing happens any more: {self.states()}\n{self.logs()}")
            if now - swept_at > 1.0:
                self.sweep()
                swept_at = now
            time.sleep(every_s)

    def logs(self) -> str:
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}"
            for log in sorted(self.var.glob("*.log"))
        )

    def assert_each_is_published_once(self, n_playlists: int) -> None:
        assert self.states() == {"ready": n_playlists}
        tracks = self.rows(
            "SELECT playlist_id, audio_name, midi_name, check_name FROM generator_track"
        )
        assert len({playlist for playlist, *_names in tracks}) == len(tracks) == n_playlists
        names = {name for _playlist, *files in tracks for name in files}
        assert {path.name for path in self.nights.iterdir()} == names


@pytest.fixture
def place() -> Iterator[Place]:
    var = Path(tempfile.mkdtemp(prefix="nk-"))
    place = Place(var)
    place.manage("migrate", "generator", "--verbosity=0")
    yield place
    for worker in place.workers.values():
        worker.kill()
        worker.wait()
    shutil.rmtree(var, ignore_errors=True)


def test_a_request_survives_a_broker_that_is_down_and_a_worker_that_is_killed(place):
    place.request([brief()])
    assert place.rows("SELECT state, woken_at FROM generator_playlist") == [("queued", None)]

    with valkey(place.var):
        place.start_worker("one")
        place.start_worker("two")
        place.wait_until(lambda: place.states()["rendering"])
        ((victim,),) = place.rows("SELECT worker FROM generator_playlist")
        assert any(place.nights.iterdir())
        place.kill(victim.removesuffix("@here"))
        assert place.states()["rendering"], "it finished before it was killed"
        assert any(place.nights.iterdir()), "the kill left its half-made files"

        place.wait_until(lambda: place.states()["ready"])
        place.stop_workers()

    place.assert_each_is_published_once(1)
    ((attempt, worker),) = place.rows("SELECT attempt, worker FROM generator_playlist")
    assert attempt >= 2
    assert worker != victim
    # The killed worker's last sign of life stays for the administrator; the other said goodbye.
    assert place.rows("SELECT name FROM generator_workerheartbeat") == [(victim,)]


@pytest.mark.slow
def test_nights_mastered_by_one_worker_are_encoded_by_another_though_it_is_killed(place):
    with valkey(place.var):
        place.start_worker("encoder", "encode")
        place.start_worker("maker")
        place.wait_until(
            lambda: place.rows("SELECT COUNT(*) FROM generator_workerheartbeat") == [(2,)]
        )
        place.request([brief(seed) for seed in range(3)])
        place.wait_until(lambda: "encoder" in place.busy_workers())
        place.kill("encoder")
        place.start_worker("encoder", "encode")
        place.wait_until(place.is_done)
        place.stop_workers()
    place.assert_each_is_published_once(3)
    assert place.rows("SELECT COUNT(*) FROM generator_master") == [(0,)]
    assert ("encoder@here",) in place.rows("SELECT worker FROM generator_playlist")


@pytest.mark.slow
def test_no_playlist_is_lost_or_doubled_while_workers_and_broker_are_killed(place, capsys):
    """Fifty mixes of a minute, two workers, ten kills in the middle of a render, two of the broker.

    A worker is killed at a moment of its render that chance chooses, so that all stages are hit.
    """
    rng = random.Random(20261122)  # noqa: S311 (which worker to kill, and when)
    n_playlists, n_kills, names = 50, 10, ["one", "two"]
    place.request([replace(brief(seed=seed), minutes=1.0) for seed in range(n_playlists)])
    began = time.monotonic()
    with ExitStack() as broker:
        broker.enter_context(valkey(place.var))
        for name in names:
            place.start_worker(name)
        for number in range(n_kills):
            place.wait_until(place.busy_workers)
            time.sleep(rng.uniform(0, 3))
            if number % 5 == 2:
                broker.close()
                broker.enter_context(valkey(place.var))
            victim = rng.choice(place.busy_workers() or names)
            place.kill(victim)
            place.start_worker(victim)
        place.wait_until(place.is_done, every_s=0.5)
        # Whoever was hit three times has failed; the administrator asks again.
        place.manage("shell", "--no-imports", "-c", RETRY)
        place.wait_until(place.is_done, every_s=0.5)
        took_s = time.monotonic() - began
        place.stop_workers()
    place.assert_each_is_published_once(n_playlists)
    n_lost = len(place.lost_leases)
    assert n_lost >= n_kills // 2, "most kills should meet a render"
    with capsys.disabled():
        told = f"{n_playlists} mixes of a minute, {n_kills} kills, {n_lost} of them in a render"
        sys.stdout.write(f"\n{told}: each published once, nothing else left, {took_s:.0f} s\n")
