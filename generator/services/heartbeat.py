"""Signs of life of the workers, in the database: what the administrator and /healthz look at.

A worker that renders cannot answer a ping in every pool, and one whose broker connection has gone
quiet still answers it; a row that this process itself keeps fresh says what we want to know.
"""

import logging
import threading
from datetime import datetime

from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone

from generator.models.playlist import Playlist, WorkerHeartbeat

logger = logging.getLogger(__name__)

PULSE_EVERY_S = 5.0


class Pulse(threading.Thread):
    """Keeps one worker's row fresh until `stop`, which removes it; a killed worker's row stays."""

    def __init__(self, *, name: str, device: str, queues: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self._worker, self._device, self._queues = name, device, queues
        self._started_at = timezone.now()
        self._stopped = threading.Event()

    def run(self) -> None:
        """Beat, and let no trouble of the database end it."""
        while not self._stopped.is_set():
            try:
                self._beat(timezone.now())
            except DatabaseTrouble:
                logger.warning("the heartbeat could not be written", exc_info=True)
                connection.close()
            self._stopped.wait(PULSE_EVERY_S)
        connection.close()

    def stop(self) -> None:
        """Stop beating and take the row away: this worker ended in good order."""
        self._stopped.set()
        self.join(timeout=PULSE_EVERY_S)
        WorkerHeartbeat.objects.filter(name=self._worker).delete()

    def _beat(self, now: datetime) -> None:
        WorkerHeartbeat.objects.update_or_create(
            name=self._worker,
            defaults={
                "seen_at": now,
                "started_at": self._started_at,
                "device": self._device,
                "queues": self._queues,
            },
        )


def note_work(*, worker: str, playlist: Playlist | None) -> None:
    """Note on the worker's row what it works on, or that it works on nothing."""
    WorkerHeartbeat.objects.filter(name=worker).update(playlist=playlist)
