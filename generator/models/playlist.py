"""A playlist is the job and its result: the row is the truth, the broker only wakes workers up.

queued -> composing -> rendering -> checking -> ready | failed | cancelled

A worker holds a row by its lease, a token that no other worker knows. Every change that a worker
makes is conditional on that token, so one that was silent too long cannot undo what its successor
did. All times here are real time, not trial time.
"""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

MAX_ATTEMPTS = 3
MAX_BACK_OFF_S = 600


class PlaylistState(models.TextChoices):
    """Where a playlist is on its way to being heard."""

    QUEUED = "queued", _("Waiting")
    COMPOSING = "composing", _("Composing")
    RENDERING = "rendering", _("Rendering")
    CHECKING = "checking", _("Checking")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class FailureCode(models.TextChoices):
    """Why an attempt ended without a mix, in a sentence for the administrator."""

    BRIEF = "brief", _("The request was not valid for this version of the composers.")
    CHECKPOINT = "checkpoint", _("A composer's release file is missing or damaged.")
    SCORE = "score", _("The composed notes broke a rule of the grid.")
    SYNTHESIS = "synthesis", _("The sound could not be made.")
    QUALITY = "quality", _("The music did not pass its quality control in any of its draws.")
    PIN = "pin", _("The worker does not have the renderer that the study has fixed.")
    DISK_FULL = "disk_full", _("The disk is full. Free some space, then retry.")
    STORAGE = "storage", _("The finished files could not be stored.")
    MEMORY = "memory", _("The worker ran out of memory.")
    DEADLINE = "deadline", _("The render took longer than allowed.")
    WORKER_LOST = "worker_lost", _("The worker stopped answering in the middle of the render.")
    UNEXPECTED = "unexpected", _("Something unexpected happened; the worker's log has the details.")


WORKING = (PlaylistState.COMPOSING, PlaylistState.RENDERING, PlaylistState.CHECKING)
FINAL = (PlaylistState.READY, PlaylistState.FAILED, PlaylistState.CANCELLED)


URGENCY = Coalesce("wanted_by", "requested_at")


def playlist_states() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new state needs no migration."""
    return PlaylistState.choices


def failure_codes() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new code needs no migration."""
    return FailureCode.choices


def back_off(attempt: int) -> timedelta:
    """How long a row rests after its attempt number `attempt` went wrong."""
    return timedelta(seconds=min(MAX_BACK_OFF_S, 2**attempt))


class PlaylistQuerySet(models.QuerySet):
    """The queue's questions, and the one way an attempt ends without a mix."""

    def due(self, now: datetime) -> Self:
        """Rows that a worker may claim at `now`, the one that is wanted first in front."""
        rested = Q(not_before=None) | Q(not_before__lte=now)
        return self.filter(rested, state=PlaylistState.QUEUED).by_urgency()

    def by_urgency(self) -> Self:
        """Put in front what its listener waits for, then what is wanted first.

        Without a time it is wanted since it was asked.
        """
        awaited = F("awaited_since").asc(nulls_last=True)
        return self.alias(urgency=URGENCY).order_by(awaited, "urgency", "requested_at")

    def ahead_of(self, playlist: "Playlist") -> Self:
        """Rows that come before this one, whether they wait or are in work."""
        waiting = Q(state=PlaylistState.QUEUED) & _sooner_than(playlist)
        others = self.alias(urgency=URGENCY).exclude(pk=playlist.pk)
        return others.filter(waiting | Q(state__in=WORKING))

    def working(self) -> Self:
        """Rows that a worker holds."""
        return self.filter(state__in=WORKING)

    def expired(self, now: datetime) -> Self:
        """Rows whose worker has not been heard of since its lease ran out."""
        return self.working().filter(lease_until__lt=now)

    def end_attempt(
        self, *, now: datetime, code: FailureCode, detail: str = "", may_retry: bool = True
    ) -> int:
        """End the current attempt of these rows; return how many there were.

        Cancelled where that was asked for; failed after the last attempt (or at once, when another
        try cannot help); otherwise queued again after a pause. One statement decides it from the
        row as it is, so a cancellation that arrives at the same moment is not lost.
        """
        last = Q(attempt__gte=MAX_ATTEMPTS) if may_retry else Q(attempt__gte=0)
        wanted_away = When(cancel_requested=True, then=Value(PlaylistState.CANCELLED))
        pauses = [
            When(attempt=attempt, then=Value(now + back_off(attempt)))
            for attempt in range(1, MAX_ATTEMPTS)
        ]
        return self.working().update(
            state=Case(
                wanted_away,
                When(last, then=Value(PlaylistState.FAILED)),
                default=Value(PlaylistState.QUEUED),
            ),
            finished_at=Case(
                When(Q(cancel_requested=True) | last, then=Value(now)),
                default=Value(None),
                output_field=DateTimeField(),
            ),
            not_before=Case(*pauses, default=Value(None), output_field=DateTimeField()),
            woken_at=None,
            lease=None,
            lease_until=None,
            progress=0.0,
            failure_code=Case(When(cancel_requested=True, then=Value("")), default=Value(code)),
            failure=detail[: Playlist.FAILURE_LENGTH],
        )


def _sooner_than(playlist: "Playlist") -> Q:
    """Return which rows `by_urgency` puts before this one."""
    if playlist.awaited_since:
        return Q(awaited_since__lt=playlist.awaited_since)
    moment = playlist.wanted_by or playlist.requested_at
    return (
        Q(awaited_since__isnull=False)
        | Q(urgency__lt=moment)
        | Q(urgency=moment, requested_at__lt=playlist.requested_at)
    )


class Playlist(models.Model):
    """One continuous mix that was asked for."""

    FAILURE_LENGTH = 500

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Opaque by agreement with the caller: nobody may read from it whose music this is.
    key = models.CharField(
        _("key"),
        max_length=128,
        unique=True,
        help_text=_("Idempotency key: asking twice is one job"),
    )
    brief = models.JSONField(
        _("brief"), help_text=_("What was asked for, as engine/brief.py writes it")
    )
    state = models.CharField(
        _("state"), max_length=16, choices=playlist_states, default=PlaylistState.QUEUED
    )
    progress = models.FloatField(_("progress"), default=0.0, help_text=_("0 to 1"))
    requested_at = models.DateTimeField(_("requested"))
    wanted_by = models.DateTimeField(
        _("wanted by"),
        null=True,
        blank=True,
        help_text=_("What is wanted first is made first; empty: as soon as possible"),
    )
    awaited_since = models.DateTimeField(
        _("listener waits since"),
        null=True,
        blank=True,
        help_text=_("Since when its listener waits before a page; such are made before all others"),
    )
    not_before = models.DateTimeField(
        _("rests until"),
        null=True,
        blank=True,
        help_text=_("Rests until then after an attempt that went wrong"),
    )
    woken_at = models.DateTimeField(
        _("worker told"),
        null=True,
        blank=True,
        help_text=_("When a worker was last told; empty if never"),
    )
    started_at = models.DateTimeField(
        _("started"), null=True, blank=True, help_text=_("When the current or last attempt began")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    lease = models.UUIDField(_("lease"), null=True, blank=True, unique=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    worker = models.CharField(
        _("worker"), max_length=100, blank=True, help_text=_("Who works or worked on it")
    )
    cancel_requested = models.BooleanField(_("cancellation asked for"), default=False)
    failure_code = models.CharField(_("failure"), max_length=16, choices=failure_codes, blank=True)
    failure = models.CharField(
        _("worker's words"),
        max_length=FAILURE_LENGTH,
        blank=True,
        help_text=_("The worker's own words, for the log"),
    )
    refusal = models.CharField(
        _("refused"),
        max_length=FAILURE_LENGTH,
        blank=True,
        help_text=_("Which worker could not take it and why; it waits for another"),
    )

    objects = PlaylistQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("playlist"), _("playlists")
        ordering = ["requested_at"]
        indexes = [
            models.Index(fields=["state", "requested_at"], name="generator_playlist_queue"),
        ]
        constraints = [
            # Without a lease there is nobody whose silence the sweep could notice.
            models.CheckConstraint(
                condition=Q(state__in=WORKING, lease__isnull=False, lease_until__isnull=False)
                | (~Q(state__in=WORKING) & Q(lease__isnull=True, lease_until__isnull=True)),
                name="generator_playlist_work_and_lease_together",
            ),
            models.CheckConstraint(
                condition=Q(state__in=FINAL, finished_at__isnull=False)
                | (~Q(state__in=FINAL) & Q(finished_at__isnull=True)),
                name="generator_playlist_final_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(progress__gte=0.0, progress__lte=1.0),
                name="generator_playlist_progress_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to this playlist by itself."""
        return self.state in FINAL

    @property
    def is_working(self) -> bool:
        """A worker holds this playlist."""
        return self.state in WORKING

    @property
    def failure_sentence(self) -> str:
        """Why the last attempt ended without a mix, for staff; empty if none did."""
        return str(FailureCode(self.failure_code).label) if self.failure_code else ""


class Track(models.Model):
    """The finished mix of a playlist; published once, by the worker that held the lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    playlist = models.OneToOneField(
        Playlist, models.PROTECT, related_name="track", verbose_name=_("playlist")
    )
    audio_name = models.CharField(
        _("audio file"), max_length=100, unique=True, help_text=_("Under nights/")
    )
    midi_name = models.CharField(_("MIDI file"), max_length=100, unique=True)
    check_name = models.CharField(
        _("volume check"),
        max_length=100,
        blank=True,
        help_text=_("The short file by which its listener sets the volume"),
    )
    audio_sha256 = models.CharField(_("SHA-256 of the audio"), max_length=64)
    midi_sha256 = models.CharField(_("SHA-256 of the MIDI"), max_length=64)
    duration_s = models.FloatField(_("length in seconds"))
    loudness_lufs = models.FloatField(_("loudness in LUFS"))
    true_peak_dbtp = models.FloatField(_("true peak in dBTP"))
    n_notes = models.PositiveIntegerField(_("notes"))
    composer_release = models.CharField(_("composer's release"), max_length=64)
    renderer = models.CharField(_("renderer"), max_length=64)
    pin = models.JSONField(
        _("renderer's pin"), default=dict, help_text=_("Renderer, version, SoundFont, chunk size")
    )
    features = models.JSONField(_("features"), default=dict)
    quality = models.JSONField(_("quality control"), default=dict)
    published_at = models.DateTimeField(_("published"))

    class Meta:
        verbose_name, verbose_name_plural = _("track"), _("tracks")
        ordering = ["-published_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(duration_s__gt=0.0), name="generator_track_has_a_duration"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.duration_s:.0f} s"


class Master(models.Model):
    """A night that is composed, synthesised, mastered and judged, and waits for its encoder.

    There is one from the hand-over until the track is published; its files are named by the lease
    of the attempt that made them. Without it the playlist begins anew.
    """

    playlist = models.OneToOneField(
        Playlist, models.CASCADE, related_name="master", verbose_name=_("playlist")
    )
    lease = models.UUIDField(_("lease"), help_text=_("Of the attempt that made it"))
    facts = models.JSONField(_("facts"), help_text=_("What the encoder needs beside the samples"))
    mastered_at = models.DateTimeField(_("mastered"))

    class Meta:
        verbose_name, verbose_name_plural = _("mastered night"), _("mastered nights")
        ordering = ["mastered_at"]

    def __str__(self) -> str:
        return f"{self.playlist_id} {self.mastered_at:%H:%M:%S}"


class WorkerHeartbeat(models.Model):
    """A worker was alive at `seen_at`; health is this row's age, not an answer to a ping."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    seen_at = models.DateTimeField(_("seen"))
    started_at = models.DateTimeField(_("started"))
    device = models.CharField(_("device"), max_length=100)
    queues = models.CharField(_("queues"), max_length=100)
    playlist = models.ForeignKey(
        Playlist,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("playlist"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("worker"), _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} {self.seen_at:%H:%M:%S}"
