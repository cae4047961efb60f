from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from generator.models.playlist import WorkerHeartbeat
from generator.selectors import WorkerState, workers
from generator.services import heartbeat
from generator.services.heartbeat import Pulse

pytestmark = pytest.mark.django_db(transaction=True)


def until(claim, pulse: Pulse) -> None:
    """Wait for the pulse's next beats to make the claim true."""
    for _ in range(200):
        if claim():
            return
        pulse.join(timeout=0.05)
    pytest.fail("the pulse did not beat")


@contextmanager
def hidden(table: str) -> Iterator[None]:
    """Make every statement on a table fail for a while."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO hidden")
        yield
        cursor.execute(f"ALTER TABLE hidden RENAME TO {table}")


def test_a_worker_is_alive_while_it_beats_and_gone_when_it_stops():
    pulse = Pulse(name="w1@here", device="cpu", queues="cpu")
    pulse.start()
    until(WorkerHeartbeat.objects.exists, pulse)
    (row,) = workers()
    assert (row.name, row.device, row.state) == ("w1@here", "cpu", WorkerState.IDLE)
    pulse.stop()
    assert not pulse.is_alive()
    assert workers() == []


def test_a_restarted_worker_takes_over_the_row_it_left_behind():
    long_ago = timezone.now().replace(year=2020)
    WorkerHeartbeat.objects.create(
        name="w1@here", seen_at=long_ago, started_at=long_ago, device="?", queues="?"
    )
    pulse = Pulse(name="w1@here", device="cpu", queues="cpu")
    pulse.start()
    until(lambda: WorkerHeartbeat.objects.get().device == "cpu", pulse)
    assert WorkerHeartbeat.objects.get().started_at > long_ago
    pulse.stop()


def test_trouble_of_the_database_does_not_end_the_pulse(monkeypatch, caplog):
    monkeypatch.setattr(heartbeat, "PULSE_EVERY_S", 0.01)
    pulse = Pulse(name="w1@here", device="cpu", queues="cpu")
    with hidden(WorkerHeartbeat._meta.db_table):
        pulse.start()
        until(lambda: "could not be written" in caplog.text, pulse)
    until(WorkerHeartbeat.objects.exists, pulse)
    pulse.stop()
