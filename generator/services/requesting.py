"""Ask for a playlist, hurry it, cancel it, ask again; and keep the queue moving when things broke.

The row is the job. A message to the broker is only a wake-up call, sent by task name after the row
is safe, so this module needs neither the tasks nor torch, and a broker that is down costs a delay:
the row stays queued and the next sweep sends the call again.
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnreachable

from generator.engine.brief import Brief
from generator.exceptions import PlaylistIsFinal, PlaylistNotRetryable
from generator.models.playlist import FINAL, FailureCode, Master, Playlist, PlaylistState
from generator.selectors import encoder_is_alive
from generator.services import storage
from generator.services.labour import CPU_QUEUE, ENCODE_QUEUE, GPU_QUEUE

logger = logging.getLogger(__name__)

# The names of the doors in generator/tasks.py.
RENDER_PLAYLIST = "generator.render_playlist"
SWEEP_PLAYLISTS = "generator.sweep_playlists"

RESEND_S = 60
# A wake-up call makes a worker take the row that is wanted first, whichever it names, so a handful
# of calls keeps every worker busy; one per waiting row each minute would only fill the broker.
MAX_WAKE_UPS = 32


@dataclass(frozen=True)
class Swept:
    """What one sweep found: leases that had run out, wake-up calls sent, orphan files removed."""

    n_expired: int
    n_woken: int
    n_orphans: int


def request_playlist(*, brief: Brief, key: str, wanted_by: datetime | None = None) -> Playlist:
    """Return the playlist of `key`, queued now or asked for before; the first brief stands.

    Parameters
    ----------
    brief : Brief
    key : str
        The caller's idempotency key; opaque, since administrators see it.
    wanted_by : datetime, optional
        What is wanted first is made first; without it, this is wanted since now.
    """
    asked = {
        "brief": json.loads(brief.to_json()),
        "requested_at": timezone.now(),
        "wanted_by": wanted_by,
    }
    playlist, created = Playlist.objects.get_or_create(key=key, defaults=asked)
    if created:
        _wake_on_commit(playlist.pk)
    return playlist


def hurry_playlist(playlist: Playlist) -> Playlist:
    """Put a waiting playlist before all that nobody waits for, behind whoever waited before.

    Nothing is written where it was hurried before, is in work or final: a page may call this each
    time it is looked at. No worker is told, since the next call makes one take this row.
    """
    if playlist.state == PlaylistState.QUEUED and playlist.awaited_since is None:
        unhurried = Playlist.objects.filter(
            pk=playlist.pk, state=PlaylistState.QUEUED, awaited_since=None
        )
        unhurried.update(awaited_since=timezone.now())
        playlist.refresh_from_db()
    return playlist


@transaction.atomic
def cancel_playlist(playlist: Playlist) -> Playlist:
    """Cancel at once what waits; ask the worker to stop what it is working on.

    Raises
    ------
    PlaylistIsFinal
        It is ready, failed or cancelled already.
    """
    row = Playlist.objects.filter(pk=playlist.pk)
    waiting = row.filter(state=PlaylistState.QUEUED)
    if not waiting.update(
        state=PlaylistState.CANCELLED, cancel_requested=True, finished_at=timezone.now()
    ) and not row.working().update(cancel_requested=True):
        playlist.refresh_from_db()
        raise PlaylistIsFinal(playlist=playlist.pk, state=playlist.state)
    playlist.refresh_from_db()
    return playlist


@transaction.atomic
def retry_playlist(playlist: Playlist) -> Playlist:
    """Queue a failed or cancelled playlist again, with all its attempts before it.

    Raises
    ------
    PlaylistNotRetryable
        It is waiting, in work or ready.
    """
    ended_badly = Playlist.objects.filter(
        pk=playlist.pk, state__in=(PlaylistState.FAILED, PlaylistState.CANCELLED)
    )
    if not ended_badly.update(
        state=PlaylistState.QUEUED,
        attempt=0,
        progress=0.0,
        cancel_requested=False,
        finished_at=None,
        not_before=None,
        woken_at=None,
        failure_code="",
        failure="",
        refusal="",
    ):
        playlist.refresh_from_db()
        raise PlaylistNotRetryable(playlist=playlist.pk, state=playlist.state)
    _wake_on_commit(playlist.pk)
    playlist.refresh_from_db()
    return playlist


def wake(playlist: Playlist) -> bool:
    """Tell a worker that this playlist waits; False if the broker could not be reached."""
    return _wake(playlist.pk)


def sweep() -> Swept:
    """Take rows back from workers that fell silent, and call again for rows nobody came for.

    Safe to run at any time, by any number of processes at once.
    """
    now = timezone.now()
    n_expired = Playlist.objects.expired(now).end_attempt(now=now, code=FailureCode.WORKER_LOST)
    # A mastered night that nobody is to encode any more: it failed, or was cancelled.
    n_dropped, _by_model = Master.objects.filter(playlist__state__in=FINAL).delete()
    return Swept(
        n_expired=n_expired,
        n_woken=_wake_all(_overdue(now)),
        n_orphans=storage.remove_orphans() if n_expired or n_dropped else 0,
    )


def take_back_from(*, worker: str) -> int:
    """Queue again what an earlier life of this worker was killed over; return how many rows.

    A worker calls this when it starts, so a restart costs seconds and not a whole lease.
    """
    return (
        Playlist.objects.working()
        .filter(worker=worker)
        .end_attempt(now=timezone.now(), code=FailureCode.WORKER_LOST)
    )


def _overdue(now: datetime) -> list[UUID]:
    """Return the first due rows, of those that no worker was told of lately."""
    resend_s = getattr(settings, "NOCTURNE_RESEND_S", RESEND_S)
    told_lately = now - timedelta(seconds=resend_s)
    first = Playlist.objects.due(now).values_list("pk", "woken_at")[:MAX_WAKE_UPS]
    return [pk for pk, woken_at in first if woken_at is None or woken_at < told_lately]


def _wake_all(keys: Iterable[UUID]) -> int:
    """Wake for each in turn; after the first failure the broker is down for the others too."""
    n_woken = 0
    for key in keys:
        if not _wake(key):
            break
        n_woken += 1
    return n_woken


def _wake_on_commit(key: UUID) -> None:
    transaction.on_commit(partial(_wake, key), robust=True)


def _wake(key: UUID) -> bool:
    try:
        with current_app.connection_for_write() as connection:
            # Left to itself, publishing tries for six seconds while somebody's page waits.
            connection.ensure_connection(max_retries=0)
            current_app.send_task(
                RENDER_PLAYLIST,
                args=[str(key)],
                queue=_queue_of(key),
                connection=connection,
                retry=False,
            )
    except (BrokerUnreachable, OSError) as error:
        logger.warning("playlist %s stays queued, the broker is unreachable: %s", key, error)
        return False
    Playlist.objects.filter(pk=key, state=PlaylistState.QUEUED).update(woken_at=timezone.now())
    return True


def _queue_of(key: UUID) -> str:
    """Return who is told: who encodes, who has the pinned GPU, or all the others."""
    if Master.objects.filter(playlist=key).exists() and encoder_is_alive():
        return ENCODE_QUEUE
    devices = Playlist.objects.filter(pk=key).values_list("brief__pin__device", flat=True)
    return GPU_QUEUE if devices.first() == "cuda" else CPU_QUEUE
