"""Make a playlist: claim its row, let the engine compose and render, publish the track.

Where the labour is divided (`labour`), one worker hands a mastered night over and another encodes
it: the row is queued again, with its `Master` beside it.

The one bridge between the database and the engine, and the only service that loads torch; workers
import it, pages never do. A worker may be killed, stopped for an hour, or cut off from the
database at any line: whoever holds the row's lease publishes, everybody else finds zero rows.
"""

import errno
import json
import logging
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from generator.engine import pipeline
from generator.engine.audio.encoders import encoder_for
from generator.engine.audio.mastered import Mastered
from generator.engine.audio.refusals import MasterLost, PinUnmet, UnfitMusic
from generator.engine.audio.renderers import renderer_for
from generator.engine.brief import Brief, RendererPin, Rendering
from generator.engine.composers.engines import engine_for
from generator.engine.composers.releases import require_composers
from generator.engine.errors import (
    BriefError,
    CheckpointError,
    EngineUnavailable,
    RenderCancelled,
    ScoreError,
    SynthesisError,
)
from generator.models.playlist import FailureCode, Master, Playlist, PlaylistState, Track
from generator.services import heartbeat, requesting, storage
from generator.services.labour import CPU_QUEUE, ENCODE_QUEUE, EVERYTHING, Duties, duties_of

logger = logging.getLogger(__name__)

# A report a second is plenty for a page and spares the database.
REPORT_EVERY_S = 1.0
# Far more than a healthy render needs (a third of the music's length on one busy core), far less
# than the two hours after which the broker takes a wake-up call for lost.
DEADLINE_BASE_S, DEADLINE_PER_MINUTE_S = 120.0, 60.0


class Renderer(Protocol):
    """What turns a brief into files: all the way, as far as the encoder, or from there on.

    `pipeline.render`, `pipeline.master` or `pipeline.encode`, unless a test brings a quicker one.
    """

    def __call__(
        self, brief: Brief, *, directory: Path, stem: str, progress: pipeline.Progress | None
    ) -> Rendering | Mastered:
        """Return what was made; its files' names begin with `stem`."""


class DeadlinePassed(RenderCancelled):
    """The render took longer than its brief allows."""

    code = "deadline"


def render_next(
    *,
    worker: str,
    playlist_id: UUID | None = None,
    queues: Collection[str] = (CPU_QUEUE, ENCODE_QUEUE),
    render: Renderer | None = None,
) -> Playlist | None:
    """Render the playlist that was named, else the one that is wanted first; None if none is due.

    Whoever names one may be late: then another one is done, or nothing. What the worker takes, and
    how far it goes, follows from the queues that it listens to.
    """
    duties = duties_of(queues)
    playlist = claim(worker=worker, playlist_id=playlist_id, duties=duties)
    if playlist is None:
        return None
    heartbeat.note_work(worker=worker, playlist=playlist)
    try:
        render_playlist(playlist, render=render or _way(playlist, hands_over=duties.hands_over))
    finally:
        heartbeat.note_work(worker=worker, playlist=None)
    playlist.refresh_from_db()
    return playlist


def claim(
    *, worker: str, playlist_id: UUID | None = None, duties: Duties = EVERYTHING
) -> Playlist | None:
    """Take one due row for this worker, under a fresh lease; None if there is none to take.

    A row whose pinned renderer this machine does not have stays for another worker, with a note.
    """
    for key, brief, is_mastered in _candidates(playlist_id, duties):
        now, lease = timezone.now(), uuid4()
        refusal = refusal_of(brief, only_encodes=is_mastered)
        if refusal:
            _note_refusal(key, f"{worker}: {refusal}"[: Playlist.FAILURE_LENGTH], now)
            continue
        # The WHERE clause is the lock: of two workers, the second one updates nothing.
        if (
            Playlist.objects.due(now)
            .filter(pk=key)
            .update(
                lease=lease,
                lease_until=now + _lease(),
                worker=worker,
                attempt=F("attempt") + 1,
                refusal="",
                **(_GOING_ON if is_mastered else {**_BEGINNING, "started_at": now}),
            )
        ):
            return Playlist.objects.get(pk=key)
    return None


_BEGINNING: Mapping[str, object] = {"state": PlaylistState.COMPOSING, "progress": 0.0}
_GOING_ON: Mapping[str, object] = {"state": PlaylistState.RENDERING}


def render_playlist(playlist: Playlist, *, render: Renderer = pipeline.render) -> bool:
    """Render a claimed playlist; return whether its track was published, or its master kept.

    An attempt that ends in neither leaves no file behind. If the database fails while the
    track is published, nobody knows whether it was: the files stay, the lease runs out, and the
    sweep judges by what the database holds by then.
    """
    stem = storage.stem_of(playlist=playlist.pk, lease=playlist.lease)
    try:
        brief = Brief.from_json(json.dumps(playlist.brief))
        progress = Tenure(playlist, deadline_s=deadline_s(brief))
        made = render(brief, directory=storage.nights(), stem=stem, progress=progress)
    except RenderCancelled as error:
        logger.info("playlist %s, attempt %d: %s", playlist.pk, playlist.attempt, error)
        return _give_up(playlist, stem, error)
    except Exception as error:
        logger.exception("playlist %s, attempt %d", playlist.pk, playlist.attempt)
        return _give_up(playlist, stem, error)
    is_kept = _hand_over if isinstance(made, Mastered) else _publish
    if not is_kept(playlist, made):
        return _give_up(playlist, stem, RenderCancelled("the lease ended before publication"))
    return True


def _way(playlist: Playlist, *, hands_over: bool) -> Renderer:
    master = Master.objects.filter(playlist=playlist).first()
    if master is None:
        return pipeline.master if hands_over else pipeline.render
    samples, notes = storage.master_paths(master)

    def encode(brief: Brief, **where: object) -> Rendering:
        mastered = Mastered.with_files(master.facts, scratch_path=samples, midi_path=notes)
        return pipeline.encode(mastered, brief, **where)

    return encode


def deadline_s(brief: Brief) -> float:
    """Return how many seconds one attempt at this brief may take."""
    return DEADLINE_BASE_S + DEADLINE_PER_MINUTE_S * brief.minutes


class Tenure:
    """A worker's hold on a row, renewed by every progress report of the pipeline.

    One statement is heartbeat, progress, fence and cancellation check at once. The row answers for
    itself: when it no longer carries our lease, or somebody cancelled it, the work stops here.
    """

    def __init__(self, playlist: Playlist, *, deadline_s: float) -> None:
        self._row = Playlist.objects.filter(
            pk=playlist.pk, lease=playlist.lease, cancel_requested=False
        )
        self._deadline_s = deadline_s
        self._began_at = self._renewed_at = time.monotonic()
        self._stage = ""

    def __call__(self, fraction: float, stage: str) -> None:
        """Report progress 0 to 1 in a stage; raises RenderCancelled when the work is to stop."""
        now = time.monotonic()
        if now - self._began_at > self._deadline_s:
            raise DeadlinePassed(
                f"a render within {self._deadline_s:.0f} s was expected, got "
                f"{100 * fraction:.0f} % of it by then. Retry when the machine is less busy."
            )
        if stage == self._stage and now - self._renewed_at < REPORT_EVERY_S:
            return
        try:
            self._renew(fraction, stage)
        except DatabaseTrouble:
            self._bear_with_the_database(now)
        else:
            self._stage, self._renewed_at = stage, now

    def _renew(self, fraction: float, stage: str) -> None:
        held = self._row.update(
            state=PlaylistState(stage),
            progress=min(1.0, max(0.0, fraction)),
            lease_until=timezone.now() + _lease(),
        )
        if not held:
            raise RenderCancelled(
                "a lease that still holds was expected; the playlist was cancelled, or given to "
                "another worker after a silence. Nothing is to be done."
            )

    def _bear_with_the_database(self, now: float) -> None:
        """Go on through a short outage; once the lease has run out, the row may be another's."""
        if now - self._renewed_at > _lease().total_seconds():
            raise RenderCancelled(
                "a database that answers was expected, got none until the lease ran out. The "
                "sweep queues the playlist again."
            )
        logger.warning("the database does not answer, rendering goes on for now", exc_info=True)
        connection.close_if_unusable_or_obsolete()


def refusal_of(brief: Mapping[str, object], *, only_encodes: bool = False) -> str:
    """Return why this machine cannot make a brief as it is pinned; empty where it can.

    Who only encodes what is mastered needs the pinned encoder and nothing else.

    What cannot be read is nobody's to refuse: it fails as an invalid brief when it is rendered.
    """
    try:
        pin = RendererPin(**brief["pin"]) if brief.get("pin") else None
    except TypeError:
        return ""
    try:
        encoder_for(pin)
        if not only_encodes:
            renderer_for(pin)
            engine_for(pin)
            require_composers(pin)
    except (PinUnmet, EngineUnavailable) as refusal:
        return str(refusal)
    return ""


def _candidates(
    playlist_id: UUID | None, duties: Duties
) -> Iterator[tuple[UUID, Mapping[str, object], bool]]:
    due = Playlist.objects.due(timezone.now()).filter(duties.rows)
    due = due.values_list("pk", "brief", Q(master__isnull=False))
    if playlist_id is not None:
        yield from due.filter(pk=playlist_id)
    # All of them: what this worker cannot take must not hide what it can.
    yield from due


def _note_refusal(key: UUID, refusal: str, now: datetime) -> None:
    if Playlist.objects.due(now).filter(pk=key).exclude(refusal=refusal).update(refusal=refusal):
        logger.warning("playlist %s stays for another worker, %s", key, refusal)


@transaction.atomic
def _hand_over(playlist: Playlist, mastered: Mastered) -> bool:
    """Queue the playlist again, with what its encoder needs beside it, if the lease still holds."""
    if not Playlist.objects.filter(
        pk=playlist.pk, lease=playlist.lease, cancel_requested=False
    ).update(
        state=PlaylistState.QUEUED,
        lease=None,
        lease_until=None,
        not_before=None,
        woken_at=None,
        failure_code="",
        failure="",
    ):
        return False
    Master.objects.create(
        playlist=playlist,
        lease=playlist.lease,
        facts=mastered.facts(),
        mastered_at=timezone.now(),
    )
    transaction.on_commit(partial(requesting.wake, playlist), robust=True)
    return True


@transaction.atomic
def _publish(playlist: Playlist, rendering: Rendering) -> bool:
    """Make the files a track and the playlist ready, if the lease still holds."""
    now = timezone.now()
    if not Playlist.objects.filter(
        pk=playlist.pk, lease=playlist.lease, cancel_requested=False
    ).update(
        state=PlaylistState.READY,
        progress=1.0,
        finished_at=now,
        lease=None,
        lease_until=None,
        failure_code="",
        failure="",
    ):
        return False
    Track.objects.create(
        playlist=playlist,
        audio_name=rendering.audio_path.name,
        midi_name=rendering.midi_path.name,
        check_name=rendering.check_path.name if rendering.check_path else "",
        audio_sha256=rendering.audio_sha256,
        midi_sha256=rendering.midi_sha256,
        duration_s=rendering.duration_s,
        loudness_lufs=rendering.loudness_lufs,
        true_peak_dbtp=rendering.true_peak_dbtp,
        n_notes=rendering.n_notes,
        composer_release=rendering.composer_release,
        renderer=rendering.renderer,
        pin=dict(rendering.pin),
        features=dict(rendering.features),
        quality=dict(rendering.quality),
        published_at=now,
    )
    _forget_master(playlist)
    return True


def _forget_master(playlist: Playlist) -> None:
    for master in Master.objects.filter(playlist=playlist):
        master.delete()
        transaction.on_commit(partial(storage.remove_master, master), robust=True)


def _give_up(playlist: Playlist, stem: str, error: Exception) -> bool:
    """Remove the attempt's files and let the row go, unless it is another worker's already."""
    storage.remove_attempt(stem)
    if isinstance(error, MasterLost):
        # The next attempt begins anew.
        Master.objects.filter(playlist=playlist, playlist__lease=playlist.lease).delete()
    Playlist.objects.filter(pk=playlist.pk, lease=playlist.lease).end_attempt(
        now=timezone.now(),
        code=_failure_code(error),
        detail=f"{type(error).__name__}: {error}",
        # The same brief will be as invalid the next time, and its draws as unfit; another worker
        # may have the pinned renderer.
        may_retry=not isinstance(error, BriefError | UnfitMusic),
    )
    return False


_CODES: tuple[tuple[type[Exception], FailureCode], ...] = (
    (BriefError, FailureCode.BRIEF),
    (CheckpointError, FailureCode.CHECKPOINT),
    (ScoreError, FailureCode.SCORE),
    (PinUnmet, FailureCode.PIN),
    (EngineUnavailable, FailureCode.PIN),
    (UnfitMusic, FailureCode.QUALITY),
    (SynthesisError, FailureCode.SYNTHESIS),
    (DeadlinePassed, FailureCode.DEADLINE),
    (RenderCancelled, FailureCode.WORKER_LOST),
    (MemoryError, FailureCode.MEMORY),
    (OSError, FailureCode.STORAGE),
)


def _failure_code(error: Exception) -> FailureCode:
    if any(isinstance(e, OSError) and e.errno == errno.ENOSPC for e in _with_causes(error)):
        return FailureCode.DISK_FULL
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return FailureCode.UNEXPECTED


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _lease() -> timedelta:
    return timedelta(seconds=settings.NOCTURNE_LEASE_S)
