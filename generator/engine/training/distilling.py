"""Distillation: a small network learns from a large one's distributions beside the notes.

Student and teacher hear the same streams. The student's loss is the mean of its own nats a note and
of its distance, field by field, from what the teacher would have said; the copy heads are learnt
from the notes alone, for both have the same memory of the piece.

References
----------
Hinton, G., Vinyals, O. and Dean, J. (2015). Distilling the knowledge in a neural network.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from generator.engine.networks.checkpoints import Checkpoint
from generator.engine.networks.lstm_acm import Carried
from generator.engine.networks.shape import NetworkShape
from generator.engine.training.batches import Batch
from generator.engine.training.evaluation import released_network
from generator.engine.training.trainer import OWN, Run

TAUGHT = "taught"
_SOFT_SHARE = 0.5


def student_shape(teacher: Checkpoint, hidden: int, layers: int) -> NetworkShape:
    """Return the sizes of a student: the teacher's, but for its width and depth."""
    shape = NetworkShape.of_release(teacher.config["shape"])
    return replace(shape, hidden=hidden, layers=layers)


class Distillation(Run):
    """A training run with a teacher; its parameters are those of `Run` after the teacher."""

    def __init__(self, teacher: Checkpoint, *arguments: object, **named: object) -> None:
        self._teacher = released_network(teacher).requires_grad_(requires_grad=False)
        super().__init__(*arguments, **named)

    def _initial(self) -> dict[str, Carried]:
        self._teacher.to(self._device)
        return {**super()._initial(), TAUGHT: self._teacher.initial(self.plan.lanes)}

    def _loss(
        self, batch: Batch, heard: Mapping[str, Carried]
    ) -> tuple[Tensor, Tensor, dict[str, Carried]]:
        stretch, outcome, counts = batch.stretch, batch.outcome, batch.counts
        state, gamma, own = self.network(stretch, heard[OWN])
        log_p, pointer = self.network.log_likelihood(state, outcome, own.pointer)
        with torch.no_grad():
            known, _, taught = self._teacher(stretch, heard[TAUGHT])
            soft = self._teacher.field_logits(known, outcome.events, outcome.position)
        said = self.network.field_logits(state, outcome.events, outcome.position)
        distance = sum(
            functional.kl_div(
                ours[counts].float().log_softmax(dim=1),
                theirs[counts].float().log_softmax(dim=1),
                reduction="batchmean",
                log_target=True,
            )
            for ours, theirs in zip(said, soft, strict=True)
        )
        nats = -log_p.sum(dim=2)[counts].mean()
        carried = {OWN: own._replace(pointer=pointer), TAUGHT: taught}
        return (1.0 - _SOFT_SHARE) * nats + _SOFT_SHARE * distance, gamma, carried
