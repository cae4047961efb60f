"""The nights' music, what was heard of it, how it was rated, and what stands in when it fails."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.models.playlist import Playlist
from studies.design.taste import Rating
from studies.models.participant import Participant
from studies.models.study import Arm


def ratings() -> list[tuple[str, str]]:
    """Choices as a callable, so that a new one needs no migration."""
    return [
        (Rating.CALMING.value, _("It calmed me")),
        (Rating.LIKED.value, _("I liked it")),
        (Rating.NEVER_AGAIN.value, _("Never again")),
    ]


class PlaylistAssignment(models.Model):
    """The mix a participant gets on one night."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="nights")
    night_on = models.DateField(help_text="The evening's date in the participant's zone")
    playlist = models.ForeignKey(Playlist, models.PROTECT, related_name="+")
    replacement = models.ForeignKey(
        Playlist,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Takes the mix's place once it is ready, unless that was played by then",
    )
    version = models.PositiveSmallIntegerField(
        default=1, help_text="How often music was asked for, for this night"
    )
    is_from_pool = models.BooleanField(
        default=False, help_text="The night's own mix failed or was late; never shown"
    )
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


class NightRating(models.Model):
    """What a participant said of one night's music; saying it again replaces it."""

    assignment = models.OneToOneField(PlaylistAssignment, models.PROTECT, related_name="rating")
    rating = models.CharField(max_length=16, choices=ratings)
    rated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.assignment} {self.rating}"


class PoolMix(models.Model):
    """A mix that stands in for any participant of its arm whose own is not there at bedtime."""

    arm = models.ForeignKey(Arm, models.PROTECT, related_name="pool")
    minutes = models.PositiveSmallIntegerField(help_text="As long as the nights it stands in for")
    position = models.PositiveSmallIntegerField()
    playlist = models.OneToOneField(Playlist, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    n_retries = models.PositiveSmallIntegerField(
        default=0, help_text="How often a failed mix was asked for again by itself"
    )

    class Meta:
        ordering = ["arm", "minutes", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["arm", "minutes", "position"], name="studies_poolmix_place_once"
            )
        ]

    def __str__(self) -> str:
        # Without the arm: the trail's readers may be blinded.
        return f"pool {self.position}"
