"""The division of labour: who makes the sound of a night, and who encodes it.

A worker that listens to the queue `encode` finishes what it begins. One that does not, such as a
GPU's, hands a mastered night over as long as somebody who encodes is alive and has not too many
before them; else it encodes by itself, so that no night depends on a second worker.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from generator.models.playlist import Master, PlaylistState
from generator.selectors import encoder_is_alive

CPU_QUEUE, GPU_QUEUE, ENCODE_QUEUE = "cpu", "gpu", "encode"
# Each holds 16 MB a minute of music on the disk: three gigabytes for four nights of 45 minutes.
MAX_WAITING_MASTERS = 4


@dataclass(frozen=True)
class Duties:
    """What a worker takes, and whether it leaves the encoding to another."""

    takes_new: bool = True
    takes_mastered: bool = True
    hands_over: bool = False

    @property
    def rows(self) -> Q:
        """Return which of the due rows these are."""
        if self.takes_new and self.takes_mastered:
            return Q()
        return Q(master__isnull=self.takes_new)


EVERYTHING = Duties()


def duties_of(queues: Collection[str]) -> Duties:
    """Return the duties of a worker that listens to these queues."""
    if ENCODE_QUEUE in queues:
        return Duties(takes_new=len(queues) > 1)
    if not encoder_is_alive():
        return EVERYTHING
    waiting = Master.objects.filter(playlist__state=PlaylistState.QUEUED).count()
    return Duties(takes_mastered=False, hands_over=waiting < MAX_WAITING_MASTERS)
