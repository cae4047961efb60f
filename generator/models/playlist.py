"""A playlist is the job and its result: the row is the truth, the broker only wakes workers.

requested -> queued -> composing -> rendering -> checking -> ready | failed | cancelled
"""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlaylistState(models.TextChoices):
    """Where a playlist is on its way to being heard."""

    QUEUED = "queued", _("Waiting")
    COMPOSING = "composing", _("Composing")
    RENDERING = "rendering", _("Rendering")
    CHECKING = "checking", _("Checking")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


WORKING = (PlaylistState.COMPOSING, PlaylistState.RENDERING, PlaylistState.CHECKING)
FINAL = (PlaylistState.READY, PlaylistState.FAILED, PlaylistState.CANCELLED)


def playlist_states() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new state needs no migration."""
    return PlaylistState.choices


class Playlist(models.Model):
    """One continuous mix that was asked for; times are real time, not trial time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.CharField(
        max_length=128, unique=True, help_text=_("Idempotency key: asking twice is one job")
    )
    brief = models.JSONField(help_text=_("engine/brief.py"))
    state = models.CharField(max_length=16, choices=playlist_states, default=PlaylistState.QUEUED)
    progress = models.FloatField(default=0.0, help_text=_("0 to 1"))
    requested_at = models.DateTimeField()
    not_before = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=100, blank=True)
    cancel_requested = models.BooleanField(default=False)
    failure = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["requested_at"]
        indexes = [models.Index(fields=["state", "requested_at"], name="generator_playlist_queue")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state__in=WORKING) | models.Q(lease__isnull=False),
                name="generator_playlist_work_needs_a_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to this playlist by itself."""
        return self.state in FINAL


class Track(models.Model):
    """The finished mix of a playlist; published once, by the worker that held the lease."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    playlist = models.OneToOneField(Playlist, models.PROTECT, related_name="track")
    audio_name = models.CharField(max_length=100, unique=True, help_text=_("Under nights/"))
    midi_name = models.CharField(max_length=100, unique=True)
    audio_sha256 = models.CharField(max_length=64)
    midi_sha256 = models.CharField(max_length=64)
    duration_s = models.FloatField()
    loudness_lufs = models.FloatField()
    true_peak_dbtp = models.FloatField()
    n_notes = models.PositiveIntegerField()
    composer_release = models.CharField(max_length=64)
    renderer = models.CharField(max_length=64)
    features = models.JSONField(default=dict)
    quality = models.JSONField(default=dict)
    published_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.id} {self.duration_s:.0f} s"


class WorkerHeartbeat(models.Model):
    """A worker was alive at `seen_at`; health is this row's age, not an answer to a ping."""

    name = models.CharField(max_length=100, unique=True)
    seen_at = models.DateTimeField()
    started_at = models.DateTimeField()
    device = models.CharField(max_length=100)
    queues = models.CharField(max_length=100)
    playlist = models.ForeignKey(Playlist, models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.name} {self.seen_at:%H:%M:%S}"
