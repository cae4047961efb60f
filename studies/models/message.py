"""Messages between a participant and the therapist; their words lie under seal."""

from django.conf import settings
from django.db import models

from studies.models.participant import Participant


class Message(models.Model):
    """One message of a participant's own thread."""

    participant = models.ForeignKey(Participant, models.PROTECT, related_name="messages")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty: the participant",
    )
    sealed = models.BinaryField(help_text="The words, sealed; empty once they were erased")
    sha256 = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="When the other side opened it")

    class Meta:
        ordering = ["participant", "sent_at", "pk"]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.sent_at:%Y-%m-%d %H:%M}"

    @property
    def is_from_participant(self) -> bool:
        """Whether the participant wrote it."""
        return self.author_id is None
