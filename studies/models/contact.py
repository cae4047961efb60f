"""Identity, apart from everything else: the only table that knows who somebody is.

One service may import this module, `services/entry/identity.py` (an import contract proves it).
What tells who a person is, is sealed with a key of their own, and that key with keys outside the
database.
"""

from django.db import models

from studies.models.participant import Participant


class PersonKey(models.Model):
    """The key to everything that tells who one participant is; without the row it is lost."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"key of {self.participant_id}"


class ContactDetails(models.Model):
    """Name and contact of a participant and of their guardian, sealed (`design/sealing.py`)."""

    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    sealed_at = models.DateTimeField()
    # Keyed hash of the contact, by which the same one is recognised without being read.
    blind_index = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        verbose_name_plural = "contact details"

    def __str__(self) -> str:
        return f"contact of {self.participant_id}"
