"""Whether the installation's parts are alive, asked the way its users depend on them."""

from collections.abc import Callable
from datetime import timedelta

from celery import current_app
from django.db import DatabaseError, connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from generator.models.playlist import WorkerHeartbeat

HEARTBEAT_LIMIT_S = 60
# The web page must not wait for a broker that hangs.
BROKER_TIMEOUT_S = 2.0


def health() -> dict[str, bool]:
    """Return, for each part of the installation, whether it is alive."""
    return {"web": True, **{name: is_alive() for name, is_alive in PARTS.items()}}


def database_is_alive() -> bool:
    """Tell whether the database answers a question."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
    except DatabaseError:
        return False


def broker_is_alive() -> bool:
    """Tell whether the broker accepts a connection."""
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
            return True
    except (OperationalError, OSError):
        return False


def worker_is_alive() -> bool:
    """Tell whether a worker has given a sign of life within the last minute."""
    limit = timezone.now() - timedelta(seconds=HEARTBEAT_LIMIT_S)
    try:
        return WorkerHeartbeat.objects.filter(seen_at__gte=limit).exists()
    except DatabaseError:
        return False


PARTS: dict[str, Callable[[], bool]] = {
    "database": database_is_alive,
    "broker": broker_is_alive,
    "worker": worker_is_alive,
}
