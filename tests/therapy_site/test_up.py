"""The supervisor's command: what it checks before it starts anything, and what it starts."""

import socket
from datetime import timedelta

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from generator.models.playlist import WorkerHeartbeat
from therapy_site.lock import take_lock
from therapy_site.management.commands import up


def test_a_busy_port_is_named_with_the_way_out():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CommandError, match=rf"127.0.0.1:{port} is taken.*NOCTURNE_PORT"):
            up.require_free_port("127.0.0.1", port)


def test_a_second_supervisor_of_the_same_installation_is_refused(tmp_path):
    with (
        take_lock(tmp_path / "up.lock"),
        pytest.raises(CommandError, match="stopped installation was expected"),
    ):
        take_lock(tmp_path / "up.lock")


def test_the_lock_is_free_again_once_the_first_has_ended(tmp_path):
    take_lock(tmp_path / "up.lock").close()
    take_lock(tmp_path / "up.lock").close()


def test_the_links_of_the_demonstration_follow_the_port(tmp_path):
    file = tmp_path / "demo-sign-ins.txt"
    file.write_text(
        "Staff: http://localhost:8000/accounts/login/\n  http://localhost:8000/p/abc/\n"
    )
    expected = "Staff: http://localhost:8123/accounts/login/\n  http://localhost:8123/p/abc/\n"
    assert up.sign_ins_at(8123, file) == expected
    assert file.read_text() == expected


@pytest.mark.parametrize("count", [1, 2, 64])
def test_workers_together_use_each_core_at_least_and_about_once(count, monkeypatch):
    monkeypatch.setattr(up.os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    workers = up.renderers(count, {})
    threads = {int(worker.environment["OMP_NUM_THREADS"]) for worker in workers}
    assert threads == {max(1, 8 // count)}
    assert len({worker.name for worker in workers}) == count


def test_workers_listen_to_a_group_of_queues_each_and_the_last_group_serves_the_rest(settings):
    settings.NOCTURNE_QUEUES = "gpu cpu,encode"
    listening = [worker.command for worker in up.renderers(3, {})]
    groups = ("gpu", "cpu,encode", "cpu,encode")
    assert all(f"--queues={group}" in c for group, c in zip(groups, listening, strict=True))


def beat(name: str, age_s: float) -> None:
    seen_at = timezone.now() - timedelta(seconds=age_s)
    WorkerHeartbeat.objects.create(
        name=name, seen_at=seen_at, started_at=seen_at, device="cpu", queues="cpu"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("lived_s", "silent_s", "verdict"),
    [(300, 61, True), (300, 5, False), (30, 61, False), (300, None, False)],
    ids=["silent", "well", "still starting", "no row yet"],
)
def test_a_worker_is_stuck_when_its_heartbeat_has_stopped(lived_s, silent_s, verdict):
    if silent_s is not None:
        beat("worker-1@here", silent_s)
    assert up.heartbeat_watch("worker-1@here")(lived_s) is verdict
