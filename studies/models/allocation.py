"""The concealed allocation sequence and who got which slot; protected import.

No future slot is stored in clear: each stream keeps a sealed seed, or a statistician's list under
the same seal (its key lies outside the database), and the number of the next slot; the arm of a
slot is derived at the moment it is used.
"""

from django.db import models

from studies.models.participant import Participant
from studies.models.study import Arm, Study


class AllocationStream(models.Model):
    """The sequence of one stratum: sealed seed, public commitment, next slot."""

    study = models.ForeignKey(Study, models.PROTECT, related_name="+")
    stratum = models.CharField(max_length=64, blank=True)
    sealed_seed = models.BinaryField()
    commitment = models.CharField(max_length=64, help_text="SHA-256 of the whole sequence")
    n_slots = models.PositiveIntegerField()
    next_slot = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "stratum"], name="studies_allocationstream_once"
            ),
            models.CheckConstraint(
                condition=models.Q(next_slot__lte=models.F("n_slots")),
                name="studies_allocationstream_within_slots",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study} {self.stratum}"


class Allocation(models.Model):
    """A used slot."""

    stream = models.ForeignKey(AllocationStream, models.PROTECT, related_name="+")
    slot = models.PositiveIntegerField()
    participant = models.OneToOneField(Participant, models.PROTECT, related_name="+")
    arm = models.ForeignKey(Arm, models.PROTECT, related_name="+")
    # As minimisation balanced them: later corrections of a participant's row change nothing here.
    levels = models.JSONField(default=dict)
    allocated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "slot"], name="studies_allocation_slot_once")
        ]

    def __str__(self) -> str:
        return f"{self.stream} slot {self.slot}"
