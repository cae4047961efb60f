"""What pages ask about the queue: how long it is, who works, what failed, how far a playlist is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from django.db import models
from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.playlist import WORKING, Master, Playlist, PlaylistState, WorkerHeartbeat

# A worker beats every five seconds; a busy machine may skip a few, half a minute is worth a look.
SILENT_AFTER_S = 30
# Below this much progress an extrapolation is a guess.
PROGRESS_WORTH_EXTRAPOLATING = 0.05
N_RECENT = 10


class WorkerState(models.TextChoices):
    """What a worker's heartbeat says about it."""

    IDLE = "idle", _("Idle")
    BUSY = "busy", _("Working")
    SILENT = "silent", _("Silent")


@dataclass(frozen=True)
class QueueDepth:
    """How much is waiting, in work and failed; the age of the oldest that waits, in seconds.

    `n_refused` of those that wait were left by a worker without their pinned renderer, `n_mastered`
    lack nothing but their encoding. `by_state`
    counts every state, in the order of a playlist's life.
    """

    n_waiting: int
    n_working: int
    n_failed: int
    oldest_age_s: float | None
    n_refused: int = 0
    n_mastered: int = 0
    by_state: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkerRow:
    """One worker as its heartbeat shows it; `age_s` seconds since the last beat.

    `times_real_time` is how many minutes of music it makes in a minute, by its latest mixes from
    composing to the finished file; None before the first.
    """

    name: str
    device: str
    queues: str
    age_s: float
    state: WorkerState
    started_at: datetime
    playlist_id: UUID | None
    times_real_time: float | None = None


@dataclass(frozen=True)
class WorkRow:
    """One playlist that a worker is making: how far it is, and the seconds that probably remain."""

    playlist_id: UUID
    stage: str
    worker: str
    percent: int
    remaining_s: int | None


@dataclass(frozen=True)
class FailureRow:
    """One playlist that failed for good, with its reason for staff."""

    playlist_id: UUID
    code: str
    sentence: str
    attempts: int
    failed_at: datetime


@dataclass(frozen=True)
class RefusalRow:
    """One playlist that a worker could not take, with that worker's sentence for staff."""

    playlist_id: UUID
    sentence: str


def queue_depth() -> QueueDepth:
    """Return the length and the age of the queue."""
    waiting = Q(state=PlaylistState.QUEUED)
    counted = Playlist.objects.aggregate(
        n_waiting=Count("pk", filter=waiting),
        n_working=Count("pk", filter=Q(state__in=WORKING)),
        n_failed=Count("pk", filter=Q(state=PlaylistState.FAILED)),
        n_refused=Count("pk", filter=waiting & ~Q(refusal="")),
        n_mastered=Count("pk", filter=waiting & Q(master__isnull=False)),
        oldest=Min("requested_at", filter=waiting),
    )
    oldest = counted.pop("oldest")
    rows = Playlist.objects.order_by().values_list("state").annotate(n=Count("pk"))
    by_state = dict(rows)
    return QueueDepth(
        **counted,
        # A playlist that was asked for this very moment is 0 s old, which is not none.
        oldest_age_s=None if oldest is None else _seconds_since(oldest),
        by_state={state.value: by_state.get(state.value, 0) for state in PlaylistState},
    )


def workers() -> list[WorkerRow]:
    """Return the workers that are alive, and those that fell silent without saying goodbye."""
    return [_worker_row(beat) for beat in WorkerHeartbeat.objects.all()]


def in_work() -> list[WorkRow]:
    """Return what is being made at this moment, the longest in work first."""
    return [
        WorkRow(
            playlist_id=playlist.pk,
            stage=str(PlaylistState(playlist.state).label),
            worker=playlist.worker,
            percent=round(100 * playlist.progress),
            remaining_s=_remaining_s(playlist),
        )
        for playlist in Playlist.objects.working().order_by("started_at")
    ]


def failures(limit: int = 20) -> list[FailureRow]:
    """Return the latest playlists that failed for good."""
    failed = Playlist.objects.filter(state=PlaylistState.FAILED).order_by("-finished_at")[:limit]
    return [
        FailureRow(
            playlist_id=playlist.pk,
            code=playlist.failure_code,
            sentence=playlist.failure_sentence,
            attempts=playlist.attempt,
            failed_at=playlist.finished_at,
        )
        for playlist in failed
    ]


def refusals() -> list[RefusalRow]:
    """Return what waits for a worker that has its pinned renderer, the most urgent first."""
    waiting = Playlist.objects.filter(state=PlaylistState.QUEUED).exclude(refusal="").by_urgency()
    return [RefusalRow(playlist.pk, playlist.refusal) for playlist in waiting]


def playlist_progress(playlist: Playlist) -> dict[str, object]:
    """Return state, progress 0 to 1 and the seconds that probably remain, or None if unknown.

    `n_ahead` counts the mixes that are made before this one while it waits.
    """
    is_waiting = playlist.state == PlaylistState.QUEUED
    return {
        "state": str(playlist.state),
        "progress": round(playlist.progress, 3),
        "n_ahead": Playlist.objects.ahead_of(playlist).count() if is_waiting else 0,
        "remaining_s": _remaining_s(playlist),
        "is_final": playlist.is_final,
    }


def waits_unmade(playlist: Playlist) -> bool:
    """Return whether a playlist waits to be composed, and not for its encoder alone."""
    is_mastered = Master.objects.filter(playlist=playlist).exists()
    return playlist.state == PlaylistState.QUEUED and not is_mastered


def encoder_is_alive() -> bool:
    """Return whether a worker that listens to the queue `encode` shows signs of life."""
    return any(
        "encode" in queues.split(",") for queues in _alive().values_list("queues", flat=True)
    )


def worker_state(beat: WorkerHeartbeat) -> WorkerState:
    """Return what the heartbeat says: a row that nobody keeps fresh is a silent worker."""
    if _seconds_since(beat.seen_at) > SILENT_AFTER_S:
        return WorkerState.SILENT
    return WorkerState.BUSY if beat.playlist_id else WorkerState.IDLE


def _worker_row(beat: WorkerHeartbeat) -> WorkerRow:
    return WorkerRow(
        name=beat.name,
        device=beat.device,
        queues=beat.queues,
        age_s=_seconds_since(beat.seen_at),
        state=worker_state(beat),
        started_at=beat.started_at,
        playlist_id=beat.playlist_id,
        times_real_time=_speed(Playlist.objects.filter(worker=beat.name)),
    )


def _remaining_s(playlist: Playlist) -> int | None:
    if playlist.is_final:
        return 0
    if playlist.is_working and playlist.progress >= PROGRESS_WORTH_EXTRAPOLATING:
        elapsed_s = _seconds_since(playlist.started_at)
        return round(elapsed_s * (1 - playlist.progress) / playlist.progress)
    usual_s = _usual_s_per_minute()
    if usual_s is None:
        return None
    own_s = usual_s * _minutes_of_music(playlist.brief)
    if playlist.is_working:
        return round(own_s)
    ahead = Playlist.objects.ahead_of(playlist).values_list("brief", "progress")
    ahead_s = usual_s * sum(_minutes_of_music(brief) * (1 - done) for brief, done in ahead)
    # What is mastered has half of its way behind it while it waits.
    return round(own_s * (1 - playlist.progress) + ahead_s / max(1, _n_alive()))


def _usual_s_per_minute() -> float | None:
    """Return how many seconds a minute of music took lately, over all composers alike."""
    speed = _speed(Playlist.objects.all())
    return 60 / speed if speed else None


def _speed(playlists: models.QuerySet[Playlist]) -> float | None:
    """Return the minutes of music made in a minute, as the latest of these playlists have it."""
    recent = (
        playlists.filter(state=PlaylistState.READY, started_at__isnull=False)
        .order_by("-finished_at")
        .values_list("brief", "started_at", "finished_at")[:N_RECENT]
    )
    speeds = [
        60 * _minutes_of_music(brief) / max((finished - started).total_seconds(), 1e-3)
        for brief, started, finished in recent
    ]
    return median(speeds) if speeds else None


def _minutes_of_music(brief: Mapping[str, object]) -> float:
    minutes = brief.get("minutes")
    return float(minutes) if isinstance(minutes, int | float) and minutes > 0 else 1.0


def _n_alive() -> int:
    return _alive().count()


def _alive() -> models.QuerySet[WorkerHeartbeat]:
    return WorkerHeartbeat.objects.filter(
        seen_at__gte=timezone.now() - timedelta(seconds=SILENT_AFTER_S)
    )


def _seconds_since(moment: datetime) -> float:
    return (timezone.now() - moment).total_seconds()
