"""Identity, apart from everything else: the only table that knows who somebody is.

Two services may import this module (an import contract proves it). The content is encrypted with
keys that lie outside the database.
"""

from django.db import models

from studies.models.participant import Participant


class ContactDetails(models.Model):
    """Name and contact of a participant, sealed (`design/sealing.py`)."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    sealed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "contact details"

    def __str__(self) -> str:
        return f"contact of {self.participant_id}"
