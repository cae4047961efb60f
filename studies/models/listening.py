"""Tonight's music and what was heard of it."""

from django.db import models

from generator.models.playlist import Playlist
from studies.models.participant import Participant


class PlaylistAssignment(models.Model):
    """The mix a participant gets on one night."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="nights")
    night_on = models.DateField(help_text="The evening's date in the participant's zone")
    playlist = models.ForeignKey(Playlist, models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField()

    class Meta:
        ordering = ["participant", "night_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "night_on"], name="studies_playlistassignment_night_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.night_on}"


class ListeningSession(models.Model):
    """One time of listening: the union of the stretches of the file that were played."""

    assignment = models.ForeignKey(PlaylistAssignment, models.PROTECT, related_name="sessions")
    client_id = models.UUIDField(unique=True, help_text="Made by the page: a replay is harmless")
    started_at = models.DateTimeField()
    last_beat_at = models.DateTimeField()
    intervals = models.JSONField(default=list, help_text="Sorted, disjoint [start_s, end_s]")
    heard_s = models.FloatField(default=0.0)

    def __str__(self) -> str:
        return f"{self.assignment} {self.heard_s:.0f} s"
