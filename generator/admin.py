"""The administrator's view of the queue, the finished tracks and the workers.

What was asked for and which composer made it are left out on purpose: whoever can look up a
participant's playlist would read the arm from it. Reasons of failures are sentences without names
for the same reason; the rest is in the workers' logs.
"""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from generator.exceptions import GeneratorError
from generator.models.playlist import Playlist, PlaylistState, Track, WorkerHeartbeat
from generator.selectors import worker_state
from generator.services.requesting import cancel_playlist, retry_playlist


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows to look at; only the services write them."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, _request: HttpRequest, _obj: Model | None = None) -> list[str]:
        return [field for _title, options in self.fieldsets for field in options["fields"]]


@admin.register(Playlist)
class PlaylistAdmin(ReadOnlyAdmin):
    list_display = ["id", "state", "percent", "age", "attempt", "worker", "reason"]
    list_filter = ["state", "failure_code"]
    search_fields = ["id", "key"]
    ordering = ["-requested_at"]
    actions = ["cancel", "retry"]
    fieldsets = [
        (None, {"fields": ["id", "key", "state", "percent", "worker"]}),
        (
            _("When"),
            {
                "fields": [
                    "requested_at",
                    "wanted_by",
                    "awaited_since",
                    "started_at",
                    "finished_at",
                    "not_before",
                ]
            },
        ),
        (_("Attempts"), {"fields": ["attempt", "cancel_requested", "reason", "refusal"]}),
        (_("Queue"), {"fields": ["woken_at", "lease", "lease_until"]}),
    ]

    @admin.display(description=_("Progress"), ordering="progress")
    def percent(self, playlist: Playlist) -> str:
        return f"{100 * playlist.progress:.0f} %"

    @admin.display(description=_("Age"), ordering="requested_at")
    def age(self, playlist: Playlist) -> str:
        return timesince(playlist.requested_at)

    @admin.display(description=_("Reason"), ordering="failure_code")
    def reason(self, playlist: Playlist) -> str:
        if playlist.state == PlaylistState.QUEUED and playlist.refusal:
            return str(_("Waits for a worker that has the study's renderer."))
        return playlist.failure_sentence

    @admin.action(description=_("Cancel"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Playlist]) -> None:
        n_done = self._for_each(request, queryset, cancel_playlist)
        text = ngettext("%(n)d playlist is cancelled.", "%(n)d playlists are cancelled.", n_done)
        messages.success(request, text % {"n": n_done})

    @admin.action(description=_("Retry"), permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Playlist]) -> None:
        n_done = self._for_each(request, queryset, retry_playlist)
        text = ngettext("%(n)d playlist waits again.", "%(n)d playlists wait again.", n_done)
        messages.success(request, text % {"n": n_done})

    def _for_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[Playlist],
        service: Callable[[Playlist], Playlist],
    ) -> int:
        """Call the service for each; say which it refused, and return how many it did not."""
        n_done = 0
        for playlist in queryset:
            try:
                service(playlist)
            except GeneratorError as refusal:
                messages.warning(request, str(refusal))
            else:
                n_done += 1
        return n_done


@admin.register(Track)
class TrackAdmin(ReadOnlyAdmin):
    list_display = ["id", "published_at", "duration_s", "loudness_lufs", "true_peak_dbtp"]
    search_fields = ["id", "playlist__id", "audio_sha256", "midi_sha256"]
    fieldsets = [
        (None, {"fields": ["id", "playlist", "published_at", "renderer", "pin"]}),
        (
            _("Measured"),
            {"fields": ["duration_s", "loudness_lufs", "true_peak_dbtp", "n_notes", "quality"]},
        ),
        (_("Files"), {"fields": ["audio_name", "audio_sha256", "midi_name", "midi_sha256"]}),
    ]


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ["name", "state", "age", "device", "queues", "playlist", "started_at"]
    fieldsets = [
        (None, {"fields": ["name", "state", "seen_at", "started_at", "device", "queues"]}),
        (_("Works on"), {"fields": ["playlist"]}),
    ]

    @admin.display(description=_("State"))
    def state(self, beat: WorkerHeartbeat) -> str:
        return str(worker_state(beat).label)

    @admin.display(description=_("Last sign of life"), ordering="seen_at")
    def age(self, beat: WorkerHeartbeat) -> str:
        seconds = (timezone.now() - beat.seen_at).total_seconds()
        return _("%(n)d s ago") % {"n": seconds}
