"""What a network carries between stretches, as a flat list of tensors: emptied, cut off, stored."""

from collections.abc import Sequence

import torch
from torch import Tensor

from generator.engine.networks.lstm_acm import Carried


def emptied(carried: Carried, begins: Tensor) -> Carried:
    """Return the memory with the lanes that begin a piece set to nothing."""
    keep = ~begins
    flat = []
    for value in flattened(carried):
        lane_axis = 1 if value.dim() == 3 and value.shape[0] == 1 and len(begins) != 1 else 0
        shape = [1] * value.dim()
        shape[lane_axis] = len(begins)
        flat.append(value * keep.view(shape).to(value.dtype))
    return rebuilt(carried, flat)


def detached(carried: Carried) -> Carried:
    """Return the memory cut off from the graph that made it."""
    return rebuilt(carried, [value.detach().to(_storage(value)) for value in flattened(carried)])


def flattened(carried: Carried) -> list[Tensor]:
    """Return all tensors of the memory in a fixed order."""
    memories = [value for memory in carried.memories for value in memory]
    layers = [*carried.hidden, *carried.cell, *carried.conv]
    return [*layers, *memories, carried.previous, *carried.pointer]


def rebuilt(like: Carried, flat: Sequence[Tensor]) -> Carried:
    """Return a memory of the same form as `like` from its flattened tensors."""
    rest = iter(flat)
    return Carried(
        tuple(next(rest) for _ in like.hidden),
        tuple(next(rest) for _ in like.cell),
        tuple(next(rest) for _ in like.conv),
        tuple(type(memory)(*(next(rest) for _ in memory)) for memory in like.memories),
        next(rest),
        type(like.pointer)(*(next(rest) for _ in like.pointer)),
    )


def _storage(value: Tensor) -> torch.dtype:
    return torch.float32 if value.is_floating_point() else value.dtype
